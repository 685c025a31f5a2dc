// What Cleeng, or a gateway, asked for; those that nobody does by himself come first.

import * as api from "./api.js";
import { code, el, empty, heading, pill, since } from "./dom.js";
import * as words from "./words.js";

const FILTERS = [["kept", "Kept for you"], ["open", "Open"], ["done", "Done"]];
const NOTHING = {
  kept: ["Nothing is kept for you", "A demand that cannot be done by itself stands here, with its reason."],
  open: ["Nothing is open", "What is queued, or being done, stands here."],
  done: ["Nothing was asked for yet", "Cleeng’s webhooks stand here once they are done."],
};

export async function build({ parameters }) {
  const state = NOTHING[parameters.get("state")] ? parameters.get("state") : "kept";
  const { demands, limit } = await api.demands(state);
  const [title, text] = NOTHING[state];
  const node = el("div", { class: "stack" },
    heading("Demands"),
    el("p", { class: "quiet" }, "What Cleeng asks for with its webhooks, and what a gateway tells of its own billing."),
    el("nav", { class: "filters", "aria-label": "Which demands" }, ...FILTERS.map(([word, name]) => el("a", { href: `#/demands?state=${word}`, "aria-current": word === state ? "true" : null }, name))),
    demands.length ? el("div", { class: "card list" }, el("ul", { class: "rows", "aria-label": "Demands" }, ...demands.map(row))) : empty(title, text),
    demands.length === limit ? el("p", { class: "quiet small" }, `The newest ${limit}. The command line lists more.`) : null);
  return { node };
}

function row(one) {
  return el("li", { class: "demand" },
    el("div", {},
      el("p", { class: "strong" }, words.asked(one.asked)),
      el("p", { class: "small" }, one.outcome ? words.plain(one.outcome) : "No outcome yet"),
      el("p", { class: "quiet small" }, code(one.id), one.gateway ? `, ${one.gateway}` : "", ", ", since(one.receivedAt, words))),
    el("div", { class: "actions" }, pill(words.demandState(one.state)), one.paymentId ? el("a", { href: `#/payments/${one.paymentId}` }, "Its payment") : null));
}
