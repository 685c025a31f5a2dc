// One payment: what it is, and its whole story.

import * as api from "./api.js";
import { button, code, el, fact, heading, icon, pill, put } from "./dom.js";
import { resolvePayment } from "./dialogs.js";
import * as words from "./words.js";

export async function build({ parts, page }) {
  const id = parts[1];
  const node = el("div", { class: "stack" });
  const load = async () => show(node, await api.payment(id), page, load);
  await load();
  return { node };
}

function show(node, whole, page, load) {
  const { payment, facts } = whole;
  const needsWord = payment.status === "in_doubt" || payment.status === "failed";
  put(node,
    el("p", { class: "crumb" }, el("a", { href: "#/payments" }, icon("back"), "Payments")),
    heading(words.money(facts.amount), el("span", { class: "states" }, pill(words.status(payment.status)), pill(words.confirmation(payment.confirmation.status)))),
    needsWord ? el("div", { class: "banner wait" }, icon("alert"),
      el("p", {}, payment.status === "in_doubt" ? "It is not known whether money moved. It is found out by itself where that is possible; where not, look at the gateway’s own pages and say what you saw." : "It cannot go on by itself. Look at the gateway’s own pages and say what you saw."),
      button("Resolve…", () => resolvePayment(whole, async () => { await load(); page.touched(); }), { class: "primary" })) : null,
    el("div", { class: "pair wide" },
      el("section", { class: "card", "aria-labelledby": "story-title" },
        el("div", { class: "lane-head" }, el("h2", { id: "story-title" }, "Timeline"), button("Reload", load)),
        timeline(whole),
        el("p", { class: "quiet small" }, "A gateway’s event that brought nothing new leaves no entry. “Took” is the time until what came of a request was written down.")),
      el("div", { class: "stack" },
        el("section", { class: "card", "aria-labelledby": "facts-title" }, el("h2", { id: "facts-title" }, "Payment"), about(whole)),
        el("section", { class: "card", "aria-labelledby": "told-title" }, el("h2", { id: "told-title" }, "What Cleeng is told"), confirmations(whole)),
        el("section", { class: "card", "aria-labelledby": "letters-title" }, el("h2", { id: "letters-title" }, "Dead letters"), letters(whole)))));
}

function about({ payment, facts }) {
  const search = (value) => el("a", { href: `#/payments?q=${encodeURIComponent(value)}` }, code(String(value)));
  return el("dl", { class: "facts" },
    fact("Id", code(payment.id)),
    payment.orderId ? fact("Order", search(payment.orderId)) : null,
    facts.customerId ? fact("Customer", search(facts.customerId)) : null,
    facts.subscriptionId ? fact("Subscription", search(facts.subscriptionId)) : null,
    facts.offerId ? fact("Offer", code(facts.offerId)) : null,
    fact("Gateway", payment.gateway),
    payment.externalPaymentId ? fact("External id", code(payment.externalPaymentId)) : null,
    fact("What for", words.plain(payment.operation.replaceAll("-", "_"))),
    payment.decline ? fact("Decline", code(payment.decline.code), ` (${payment.decline.class.replaceAll("_", " ")})`) : null,
    payment.confirmation.cleengPaymentId ? fact("Cleeng’s id", code(String(payment.confirmation.cleengPaymentId))) : null,
    fact("Taken in", moment(payment.createdAt)),
    fact("Last change", moment(payment.updatedAt)),
    fact("To be charged by", moment(payment.expiresAt)));
}

function moment(iso) {
  return el("time", { datetime: iso }, words.utc(iso));
}

function confirmations({ confirmations: all, tries }) {
  if (all.length === 0) return el("p", { class: "quiet" }, "Nothing yet. What came of the payment is told here, once each and in order.");
  return el("ul", { class: "rows" }, ...all.map((one, place) => el("li", { class: "process" },
    el("strong", {}, words.plain(words.report(one.report))),
    pill(words.confirmation(one.delivery.status)),
    el("span", { class: "quiet small" }, `${words.count(tries[place] ?? 0, "try", "tries")}`, one.delivery.cleengPaymentId ? [", Cleeng’s ", code(String(one.delivery.cleengPaymentId))] : ""))));
}

function letters({ letters: { looked, found } }) {
  if (found.length === 0) {
    return el("p", { class: "quiet" }, looked ? "None is about this payment." : "They could not be looked at, or not all of them: see the view of dead letters.");
  }
  return el("ul", { class: "rows" }, ...found.map(([, letter]) => el("li", { class: "process" },
    el("a", { href: "#/dead-letters" }, words.reason(letter.reason).title),
    el("span", { class: "quiet small" }, `from ${letter.source}, after ${words.count(letter.failures, "failure", "failures")}`))));
}

function timeline(whole) {
  const first = Date.parse(whole.payment.createdAt);
  let day = null;
  return el("ol", { class: "timeline" }, ...whole.timeline.map((entry) => {
    const said = told(entry);
    const after = Date.parse(entry.at) - first;
    const isNewDay = words.day(entry.at) !== day;
    day = words.day(entry.at);
    return el("li", { class: said.tone, "data-source": entry.source },
      el("div", { class: "what" }, el("p", { class: "strong" }, said.title), ...said.lines.filter(Boolean).map((line) => el("p", { class: "small" }, line))),
      el("div", { class: "when" }, el("time", { datetime: entry.at, title: `${words.utc(entry.at)} UTC` }, isNewDay ? `${day} ` : "", words.clock(entry.at)), el("span", { class: "quiet small" }, after > 0 ? `+${words.duration(after)}` : after < 0 ? "before" : "start")));
  }));
}

// What an entry says: a title, its colour, and lines below it.
function told(entry) {
  switch (entry.source) {
    case "attempt": {
      const { attempt } = entry;
      const said = words.attempt(attempt.state);
      const cause = attempt.cause ? ` (${attempt.cause.replaceAll("_", " ")})` : "";
      return { title: `Asked the gateway: ${attempt.stage}`, tone: said.tone, lines: [
        `${said.title}${cause}${entry.tookMs === null ? "" : `, took ${words.duration(entry.tookMs)}`}`,
        el("span", { class: "quiet" }, `attempt ${attempt.number}, ${attempt.path}, key `, code(attempt.idempotencyKey)),
      ] };
    }
    case "demand":
      return { title: `Cleeng asked: ${words.asked(entry.demand.asked)}`, tone: "plain", lines: [`${words.demandState(entry.demand.state).title}${entry.demand.outcome ? `: ${entry.demand.outcome.replaceAll("_", " ")}` : ""}`] };
    case "money_back":
      return { title: `${words.plain(entry.kind)} of ${words.money(entry.amount)}`, tone: entry.state === "failed" ? "bad" : "plain", lines: [`${words.plain(entry.state)}: ${entry.reason}`] };
    case "dead_letter":
      return { title: `Dead letter: ${words.reason(entry.letter.reason).title}`, tone: "bad", lines: [`from ${entry.letter.source}`, entry.letter.lastError] };
    case "operator": {
      const { deed } = entry;
      return { title: `${words.deed(deed.deed).title} by ${deed.by}`, tone: "hand", lines: [`“${deed.reason}”`, el("span", { class: "quiet" }, `${deed.subject}, by ${deed.via}`)] };
    }
    default: {
      const said = words.history(entry.kind);
      return { title: said.title, tone: said.tone, lines: [entry.detail ? words.plain(entry.detail) : null] };
    }
  }
}
