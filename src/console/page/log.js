// The operator log: who did what by hand, when and why. It is only ever added to.

import * as api from "./api.js";
import { button, el, empty, heading, icon, put } from "./dom.js";
import * as words from "./words.js";

export async function build() {
  const list = el("ol", { class: "deeds", "aria-label": "Operator log" });
  const more = el("div", { class: "more" });
  const add = (found) => {
    list.append(...found.deeds.map(entry));
    put(more, found.next ? button("Older", async (event) => {
      event.currentTarget.disabled = true;
      add(await api.log(found.next));
    }) : null);
  };
  const first = await api.log();
  add(first);
  const node = el("div", { class: "stack" },
    heading("Log"),
    el("p", { class: "quiet" }, "What was done by hand, here and on the command line. Entries are written before the deed, and never changed."),
    first.deeds.length ? el("div", { class: "card list" }, list) : empty("Nothing was done by hand yet", "Replays, discards, pauses and resolutions stand here, with who and why."),
    more);
  return { node };
}

function entry(deed) {
  const said = words.deed(deed.deed);
  return el("li", { class: deed.deed },
    el("span", { class: "mark" }, icon(said.icon)),
    el("div", { class: "what" },
      el("p", { class: "strong" }, `${said.title}: ${deed.subject}`),
      el("p", {}, `“${deed.reason}”`),
      el("p", { class: "quiet small" }, `${deed.by}, by ${deed.via}`, deed.paymentId ? [", ", el("a", { href: `#/payments/${deed.paymentId}` }, "its payment")] : "")),
    el("time", { class: "when small", datetime: deed.at }, words.utc(deed.at)));
}
