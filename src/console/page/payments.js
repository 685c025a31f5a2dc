// Payments: the newest, those that need somebody, or what a search found.

import * as api from "./api.js";
import { button, code, el, empty, heading, pill, put, since } from "./dom.js";
import * as words from "./words.js";

const FILTERS = [["all", "All"], ["open", "Not settled"], ["in_doubt", "In doubt"], ["failed", "Need an operator"]];
const NOTHING = {
  all: ["No payment yet", "The newest ones will stand here as soon as one is taken in."],
  open: ["Nothing is on its way", "Payments that have not come to their end stand here."],
  in_doubt: ["Nothing is in doubt", "A payment whose charge lost its answer stands here until it is found out."],
  failed: ["No payment needs you", "A payment that nothing else can settle stands here, to be resolved by you."],
};

export async function build({ parameters }) {
  const sought = parameters.get("q") ?? "";
  const show = parameters.get("show") ?? "all";
  document.getElementById("q").value = sought;
  const first = await api.payments(sought ? { q: sought } : { show });
  if (sought && first.payments.length === 1 && first.next === null) {
    const [only] = first.payments;
    if (only.foundBy === "payment") location.replace(`#/payments/${only.id}`);
  }
  const list = el("ul", { class: "payments", "aria-label": "Payments" });
  const more = el("div", { class: "more" });
  const add = (found) => {
    list.append(...found.payments.map(row));
    put(more, found.next ? button("Older", async (event) => {
      event.currentTarget.disabled = true;
      add(await api.payments({ ...(sought ? { q: sought } : { show }), before: found.next }));
      list.querySelector(`li:nth-child(${list.children.length}) a`)?.focus({ preventScroll: true });
    }) : null);
  };
  add(first);
  const title = sought ? "Search" : "Payments";
  const filters = el("nav", { class: "filters", "aria-label": "Which payments" }, ...FILTERS.map(([word, text]) => el("a", { href: `#/payments?show=${word}`, "aria-current": !sought && word === show ? "true" : null }, text)));
  const node = el("div", { class: "stack" },
    heading(title, sought ? el("p", { class: "quiet" }, "Found for ", code(sought), ": looked for as the id of a payment, an order, a customer, a subscription, and as the gateway’s.") : null),
    filters,
    first.payments.length ? el("div", { class: "card list" }, list) : nothing(sought, show),
    more);
  return { node };
}

function nothing(sought, show) {
  if (sought) return empty("Nothing found", "Ids are compared whole. A customer is known once the payment’s order was read.");
  const [title, text] = NOTHING[show] ?? NOTHING.all;
  return empty(title, text);
}

function row(one) {
  const found = words.foundBy(one.foundBy);
  const details = [
    one.orderId ? ["order", one.orderId] : null,
    one.facts.customerId ? ["customer", one.facts.customerId] : null,
    one.externalPaymentId ? ["external id", one.externalPaymentId] : null,
  ].filter(Boolean);
  const cleeng = one.confirmation.status === "dead_lettered" ? pill(words.confirmation("dead_lettered")) : null;
  return el("li", {}, el("a", { href: `#/payments/${one.id}` },
    el("span", { class: "amount" }, words.money(one.facts.amount)),
    el("span", { class: "states" }, pill(words.status(one.status)), cleeng),
    el("span", { class: "ids" }, ...details.map(([name, value]) => el("span", { class: name === found ? "hit" : null }, `${name} `, code(String(value))))),
    el("span", { class: "where quiet small" }, one.gateway, ", ", since(one.createdAt, words))));
}
