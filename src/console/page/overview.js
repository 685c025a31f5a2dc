// How it stands: what needs somebody, what flows, and what is held back.

import { bars, button, el, heading, icon, pill, refresh, since } from "./dom.js";
import { changePause } from "./dialogs.js";
import * as words from "./words.js";

const LAST = 5;
const card = (title, id, ...rest) => el("section", { class: "card", "aria-labelledby": id }, el("h2", { id }, title), ...rest);

export async function build({ page }) {
  const parts = Object.fromEntries(["attention", "flow", "gateways", "open", "processes"].map((name) => [name, el("div", { class: name })]));
  const node = el("div", { class: "stack" },
    heading("Overview"),
    parts.attention,
    card("The last half hour", "flow-title", parts.flow),
    el("section", { "aria-labelledby": "lanes-title" }, el("h2", { id: "lanes-title" }, "Gateways and Cleeng"), parts.gateways),
    el("div", { class: "pair" },
      card("Not settled yet", "open-title", parts.open),
      card("Processes", "processes-title", parts.processes)));
  const update = (latest) => {
    refresh(parts.attention, attention(latest), showAttention);
    refresh(parts.flow, { flow: latest.flow, lag: latest.lag.acceptedToToldMs, waiting: waiting(latest) }, showFlow);
    refresh(parts.gateways, { gateways: latest.gateways, confirmations: latest.confirmations, events: latest.gatewayEvents }, (shown) => showLanes(shown, page));
    refresh(parts.open, { open: latest.open, capped: latest.openIsCapped }, showOpen);
    refresh(parts.processes, latest.processes.map(({ seenAt, ...rest }) => (rest.live ? rest : { ...rest, seenAt })), showProcesses);
  };
  return { node, update };
}

const total = (...numbers) => (numbers.some((one) => one === null) ? null : numbers.reduce((all, one) => all + one, 0));

function waiting(latest) {
  return {
    gateways: total(...latest.gateways.flatMap((one) => [one.checkout, one.billing])),
    cleeng: latest.confirmations.waiting,
    events: latest.gatewayEvents.waiting,
  };
}

// What somebody has to look at, the worst first. An empty list is the good news.
export function attention(latest) {
  const found = [];
  const say = (tone, text, href = null) => found.push({ tone, text, href });
  const inStatus = (word) => latest.open.find((one) => one.status === word)?.count ?? 0;
  const silent = latest.processes.filter((one) => !one.live);
  if (latest.processes.every((one) => !one.roles.includes("worker") || !one.live)) say("bad", "No worker is running: no gateway is called.");
  if (latest.processes.every((one) => !one.roles.includes("confirmer") || !one.live)) say("bad", "No confirmer is running: Cleeng is told nothing.");
  if (latest.deadLetters) say("bad", `${words.count(latest.deadLetters, "dead letter", "dead letters")}: could not go on without you.`, "#/dead-letters");
  if (inStatus("failed")) say("bad", `${words.count(inStatus("failed"), "payment needs", "payments need")} your word.`, "#/payments?show=failed");
  if (inStatus("in_doubt")) say("wait", `${words.count(inStatus("in_doubt"), "payment is", "payments are")} in doubt: usually for moments.`, "#/payments?show=in_doubt");
  if (latest.demandsKept) say("wait", `${words.count(latest.demandsKept, "demand", "demands")} of Cleeng kept for you.`, "#/demands");
  for (const one of latest.gateways) {
    if (one.awayFor) say("bad", `${one.name} does not answer: it is probed, and its queue keeps the payments.`);
    if (one.heldBy) say("bad", `${one.name}: its queue is held. A credential is refused, or the ledger is away; see the log.`);
    if (one.refusedBy) say("wait", `${one.name}: too many payments wait, new ones are refused.`);
    if (one.paused) say("wait", `${one.name} is paused.`);
  }
  const { confirmations } = latest;
  if (confirmations.awayFor) say("bad", "Cleeng does not answer: it is probed, and the queue keeps the news.");
  if (confirmations.heldBy) say("bad", "The confirmations are held: Cleeng refuses the token, or the ledger is away; see the log.");
  if (confirmations.paused) say("wait", "Confirmations to Cleeng are paused.");
  if (silent.length) say("wait", `${words.count(silent.length, "process has", "processes have")} not been heard of lately.`);
  return found.sort((one, other) => (one.tone === other.tone ? 0 : one.tone === "bad" ? -1 : 1));
}

function showAttention(found) {
  if (found.length === 0) {
    return el("p", { class: "banner good", id: "all-well" }, icon("check"), el("span", {}, "All is well. Nothing needs you."));
  }
  return el("ul", { class: "needs", "aria-label": "What needs attention" }, ...found.map((one) => el("li", { class: one.tone },
    icon(one.tone === "bad" ? "alert" : "clock"),
    el("span", {}, one.text),
    one.href ? el("a", { href: one.href, "data-focus": one.href }, "Look", el("span", { class: "unseen" }, ` at this: ${one.text}`)) : null)));
}

function stage(title, counts, note, name) {
  const last = words.sum(counts, LAST);
  const peak = Math.max(...counts);
  return el("div", { class: "stage" },
    el("p", { class: "stage-title" }, title),
    el("p", { class: "figure", "data-figure": name }, el("strong", {}, words.number(last)), " in 5 min"),
    bars(counts, `${title}, minute by minute: ${words.sum(counts, counts.length)} in the last half hour, at most ${peak} in a minute`),
    el("p", { class: "quiet small" }, note));
}

function between(count, text) {
  return el("div", { class: `between ${count ? "some" : ""}` }, icon("arrow"), el("p", {}, el("strong", {}, words.number(count)), ` ${text}`));
}

function showFlow({ flow, lag, waiting: line }) {
  const declined = words.sum(flow.declined, LAST);
  const failed = words.sum(flow.failed, LAST);
  const retried = words.sum(flow.retried, LAST);
  const note = [declined ? `${words.number(declined)} declined` : null, failed ? `${words.count(failed, "call", "calls")} without an answer` : null].filter(Boolean).join(", ");
  return [
    el("div", { class: "pipeline" },
      stage("Taken in", flow.accepted, "Payments accepted from front ends.", "accepted"),
      between(line.gateways, "wait"),
      stage("Answered by gateways", flow.answered, note || "None declined, none unanswered.", "answered"),
      between(line.cleeng, "wait"),
      stage("Told to Cleeng", flow.told, lag === null ? "None told in 5 min." : `${words.duration(lag)} from payment to Cleeng, on average.`, "told")),
    el("p", { class: "quiet small foot-note" }, `All processes together, as each counted; answers include reads. ${retried ? `${words.number(retried)} sent to wait for another try. ` : ""}What waits: messages that lie in the queue now; with RabbitMQ without those that wait for another try.`),
  ];
}

function laneState(one, taker) {
  if (one.paused) return { title: "Paused", tone: "wait", icon: "pause" };
  if (one.awayFor) return { title: "Does not answer", tone: "bad", icon: "away" };
  if (one.heldBy) return { title: "Held", tone: "bad", icon: "alert" };
  if (!one.takenBy) return { title: `No ${taker}`, tone: "bad", icon: "alert" };
  if (one.refusedBy) return { title: "Refuses new ones", tone: "wait", icon: "alert" };
  return { title: "Open", tone: "good", icon: "check" };
}

function lane(name, title, one, taker, side, facts, page) {
  const state = laneState(one, taker);
  const isPaused = Boolean(one.paused);
  const act = () => changePause(side, title, isPaused, page);
  return el("article", { class: "card lane", "data-lane": name },
    el("div", { class: "lane-head" }, el("h3", {}, title), pill(state)),
    el("dl", { class: "numbers" }, ...facts.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, words.number(value))))),
    one.paused ? el("p", { class: "small why" }, since(one.paused.since, words), one.paused.because ? `: ${one.paused.because}` : "") : null,
    one.awayFor ? el("p", { class: "small why" }, `Its breaker is open in ${words.count(one.awayFor, "process", "processes")}.`) : null,
    button(isPaused ? [icon("play"), "Resume…"] : [icon("pause"), "Pause…"], act, { "data-focus": `pause-${name}`, "aria-label": `${isPaused ? "Resume" : "Pause"} ${title}` }));
}

function showLanes({ gateways, confirmations, events }, page) {
  const lanes = gateways.map((one) => lane(one.name, one.name, one, "worker", { gateway: one.name }, [["Checkout", one.checkout], ["Billing", one.billing]], page));
  return el("div", { class: "lanes" }, ...lanes,
    lane("cleeng", "Cleeng", confirmations, "confirmer", { confirmations: true }, [["To tell", confirmations.waiting], ["Events to read", events.waiting]], page));
}

function showOpen({ open, capped }) {
  if (open.length === 0) return el("p", { class: "quiet" }, "Every payment has come to its end. Those that are on their way show here, by status.");
  const link = { in_doubt: "in_doubt", failed: "failed" };
  return [
    el("ul", { class: "rows" }, ...open.map((one) => el("li", {},
      el("a", { href: `#/payments?show=${link[one.status] ?? "open"}`, "data-focus": one.status }, pill(words.status(one.status)),
        el("span", { class: "quiet small" }, "oldest ", since(one.oldestAt, words)),
        el("strong", { class: "count" }, words.number(one.count)))))),
    capped ? el("p", { class: "quiet small" }, "Only the first ten thousand are counted.") : null,
  ];
}

function showProcesses(processes) {
  if (processes.length === 0) return el("p", { class: "quiet" }, "No process has told of itself within ten minutes.");
  return el("ul", { class: "rows" }, ...processes.map((one) => el("li", { class: "process" },
    el("span", {}, el("strong", {}, one.roles.join(", ")), one.gateways.length ? ` (only ${one.gateways.join(", ")})` : ""),
    el("span", { class: "quiet small" }, `version ${one.version}, started `, since(one.startedAt, words)),
    one.live ? pill({ title: "Running", tone: "good", icon: "check" }) : el("span", { class: "pill wait" }, icon("clock"), "Heard of ", since(one.seenAt, words)))));
}
