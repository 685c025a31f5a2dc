// Dead letters: by why, from where and about which gateway; each with what can be done about it.

import * as api from "./api.js";
import { button, code, el, empty, heading, icon, put, since } from "./dom.js";
import { discardLetters, replayLetters, showLetter } from "./dialogs.js";
import * as words from "./words.js";

export async function build({ page }) {
  const node = el("div", { class: "stack" });
  const load = async () => {
    const opened = [...node.querySelectorAll("details[open]")].map((one) => one.dataset.group);
    show(node, await api.letters(), page, load, opened);
  };
  await load();
  return { node };
}

function show(node, found, page, load, opened) {
  const done = async () => {
    await load();
    page.touched();
  };
  put(node,
    heading("Dead letters", button("Look again", load)),
    el("p", { class: "quiet" }, "What could not go on by itself. Nothing here is lost: it waits until somebody sends it back or discards it."),
    found.complete ? null : el("p", { class: "banner wait" }, icon("alert"), `Only the first ${words.number(found.scan)} are looked at. When they are gone the next ones show.`),
    found.groups.length === 0 ? empty("No dead letters", "A message that cannot go on comes here, with its reason. May it stay empty.") : null,
    ...found.groups.map((one) => group(one, done, opened)));
}

const key = (one) => [one.reason, one.source, one.gateway].join(" ");

function group(one, done, opened) {
  const said = words.reason(one.reason);
  const ids = one.letters.map((letter) => letter.messageId);
  const all = one.count === 1 ? "" : " all";
  return el("article", { class: "card group", "data-reason": one.reason },
    el("div", { class: "lane-head" }, el("h2", {}, said.title), el("strong", { class: "count", title: "how many" }, words.number(one.count))),
    said.text ? el("p", {}, said.text) : null,
    el("p", { class: "quiet small" }, "from ", code(one.source), one.gateway ? [" about ", code(one.gateway)] : "", one.oldest ? [", the oldest ", since(one.oldest, words)] : ""),
    el("div", { class: "actions" },
      button([icon("arrow"), `Replay${all}…`], () => replayLetters(ids, done), { "aria-label": `Replay${all}: ${said.title}` }),
      button(`Discard${all}…`, () => discardLetters(ids, done), { "aria-label": `Discard${all}: ${said.title}` })),
    el("details", { "data-group": key(one), open: opened.includes(key(one)) },
      el("summary", {}, one.count === 1 ? "The message" : `The ${words.number(one.count)} messages`),
      el("ul", { class: "rows letters" }, ...one.letters.map((letter) => line(letter, done)))));
}

function line(letter, done) {
  const ids = [letter.messageId];
  return el("li", {},
    el("div", { class: "letter" },
      letter.paymentId ? el("a", { href: `#/payments/${letter.paymentId}` }, "Payment ", code(letter.paymentId)) : el("span", {}, "Message ", code(letter.messageId)),
      el("p", { class: "small" }, letter.lastError ?? "No error was noted."),
      el("p", { class: "quiet small" }, letter.parkedAt ? ["here ", since(letter.parkedAt, words), ", "] : "", words.count(letter.failures, "failure", "failures"), letter.replayed ? `, replayed ${words.count(letter.replayed, "time", "times")} before` : "")),
    el("div", { class: "actions" },
      button("Look", () => showLetter(letter.messageId), { "aria-label": `Look at message ${letter.messageId}` }),
      button("Replay…", () => replayLetters(ids, done), { "aria-label": `Replay message ${letter.messageId}` }),
      button("Discard…", () => discardLetters(ids, done), { "aria-label": `Discard message ${letter.messageId}` })));
}
