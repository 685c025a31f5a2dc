// The words of the console: what each state, reason and deed means. Pure: no page, no network.

const sentence = (word) => String(word ?? "").replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());

// Per status: its name, its colour and its sign.
const STATUSES = {
  accepted: ["Accepted", "busy", "clock"],
  processing: ["Processing", "busy", "clock"],
  requires_action: ["Waits for the payer", "wait", "clock"],
  pending: ["Pending at the gateway", "wait", "clock"],
  in_doubt: ["In doubt", "wait", "alert"],
  authorized: ["Authorized", "good", "check"],
  captured: ["Captured", "good", "check"],
  partially_refunded: ["Partly refunded", "plain", "back"],
  refunded: ["Refunded", "plain", "back"],
  charged_back: ["Charged back", "bad", "alert"],
  rejected: ["Declined", "plain", "cross"],
  cancelled: ["Cancelled", "plain", "cross"],
  expired: ["Expired", "plain", "cross"],
  failed: ["Needs an operator", "bad", "alert"],
};
const CONFIRMATIONS = {
  none: ["Nothing to tell", "plain", null],
  queued: ["Cleeng is being told", "busy", "clock"],
  sending: ["Being sent", "busy", "clock"],
  delivered: ["Cleeng knows", "good", "check"],
  dead_lettered: ["Cleeng does not know", "bad", "alert"],
};
const ATTEMPTS = {
  open: ["Open: no answer seen", "busy", "clock"],
  not_done: ["Not done", "wait", "clock"],
  unknown: ["Answer unknown", "bad", "alert"],
  answered: ["Answered", "good", "check"],
  void: ["Without effect", "plain", "cross"],
};
const REASONS = {
  undecodable: "Not a message of this installation: find out who sent it.",
  wrong_queue: "Not a message for this queue: find out who sent it.",
  unknown_payment: "The ledger has no such payment: find out who sent it.",
  unknown_confirmation: "The ledger has no such confirmation: find out who sent it.",
  unknown_gateway: "No gateway of this name is configured here.",
  too_old: "Tried for as long as is allowed. The sweep looks after payments, and nobody after a confirmation: replay it.",
  order_unreadable: "Cleeng’s order makes no sense. Look at the payment, then resolve it.",
  gateway_refused: "The gateway calls our request wrong. Look at the payment, then resolve it.",
  look_up_refused: "The gateway does not show the payment. Look there, then resolve it.",
  too_many_attempts: "Requests without an end. Look at the payment, then resolve it.",
  wrong_amount: "The gateway took another amount than the order’s: look there.",
  reference_mismatch: "An event about another object than the payment’s: look at the gateway.",
  key_expired: "In doubt for good: look at the gateway, then resolve the payment.",
  stored_error: "In doubt for good: look at the gateway, then resolve the payment.",
  payment_failed: "The payment had failed before: resolve it.",
  order_expires: "Cleeng’s order ends, and Cleeng does not have the news: look at the order there.",
  cleeng_refused: "Cleeng refused the news: look at the order there.",
  cleeng_answer_lost: "Cleeng’s answer was lost, and no read can tell. Look at the order there before anything is sent again.",
  cleeng_read_refused: "Cleeng refused the read that could tell: look at the order there.",
  given_up: "A repetition of what was given up before.",
  refund_refused: "The gateway does not give back what Cleeng asked for.",
  demand_kept: "Cleeng asked for something that is not done by itself.",
  unknown_demand: "The ledger has no such demand.",
};
const HISTORY = {
  accepted: ["Accepted and queued", "good"],
  withdrawn: ["Withdrawn: it could not be queued", "plain"],
  replay: ["The same bytes again, under the same key", "busy"],
  answer: ["The gateway answered", "good"],
  outcome: ["Outcome at the gateway", "good"],
  not_done: ["The request was not done", "wait"],
  unknown: ["The answer was lost or says nothing", "bad"],
  in_doubt: ["In doubt whether money moved", "bad"],
  credential: ["The gateway refused our credential", "bad"],
  refused: ["Refused before anything was charged", "plain"],
  expired: ["Expired", "plain"],
  failed: ["Cannot go on without an operator", "bad"],
  cancel_refused: ["The gateway refused to end it", "bad"],
  follow_up_refused: ["The gateway refused what was asked of it", "bad"],
  refund_wanted: ["A refund is to be made", "busy"],
  refund_refused: ["The gateway refused the refund", "bad"],
  money_back: ["Money went back, or came back", "plain"],
  confirmation_sending: ["Telling Cleeng", "busy"],
  confirmation_not_done: ["Cleeng was not told: not done", "wait"],
  confirmation_delivered: ["Cleeng knows", "good"],
  confirmation_dead_lettered: ["Telling Cleeng was given up", "bad"],
  confirmation_replayed: ["Owed to Cleeng again, by an operator", "busy"],
  resolved: ["Settled by an operator’s word", "good"],
  discarded: ["A message about it was discarded", "plain"],
};
const DEEDS = {
  replay: ["Replayed", "arrow"],
  discard: ["Discarded", "cross"],
  pause: ["Paused", "pause"],
  resume: ["Resumed", "play"],
  resolve: ["Resolved", "check"],
  failed: ["Failed", "alert"],
};
const FOUND_BY = { payment: "payment id", externalId: "external id", order: "order", customer: "customer", subscription: "subscription" };
const DEMAND_STATES = { open: ["Open", "busy", "clock"], done: ["Done", "good", "check"], kept: ["Kept for you", "bad", "alert"] };
const ASKED = {
  authorise: "Reserve a renewal",
  capture: "Take a renewal",
  capture_payment: "Capture a payment",
  refund: "Refund a payment",
  terminate: "End a subscription",
  release: "Forget payment details",
  external: "Told by the gateway: billed there",
  unknown: "A topic that is not known",
};

const from = (table, word) => {
  const [title, tone, icon] = table[word] ?? [sentence(word), "plain", null];
  return { title, tone, icon };
};

export const status = (word) => from(STATUSES, word);
export const confirmation = (word) => from(CONFIRMATIONS, word);
export const attempt = (word) => from(ATTEMPTS, word);
export const demandState = (word) => from(DEMAND_STATES, word);
export const asked = (word) => ASKED[word] ?? sentence(word);
export const reason = (word) => ({ title: sentence(word), text: REASONS[word] ?? "" });
export const history = (word) => from(HISTORY, word);
export const deed = (word) => ({ title: DEEDS[word]?.[0] ?? sentence(word), icon: DEEDS[word]?.[1] ?? "pen" });
export const foundBy = (word) => FOUND_BY[word] ?? "";
export const plain = sentence;

export function report(word) {
  return { authorized: "authorized", captured: "captured", rejected: "declined", cancelled: "cancelled", refunded: "refunded", charged_back: "charged back", details_made: "new payment details", details_attached: "details attached", details_replaced: "old details off" }[word] ?? sentence(word);
}

// The server writes an amount out by the currency's own decimals; here it only gets its sign.
export function money(amount) {
  if (!amount) return "–";
  const decimals = amount.decimal.split(".")[1]?.length ?? 0;
  const format = new Intl.NumberFormat("en", { style: "currency", currency: amount.currency, minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return format.format(amount.decimal);
}

export const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
export const number = (value) => (value === null || value === undefined ? "?" : value.toLocaleString("en"));

export function ago(iso, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 5) return "now";
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "–";
  if (milliseconds < 1000) return `${milliseconds} ms`;
  if (milliseconds < 100000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.round(milliseconds / 60000)} min`;
}

// In UTC: 2026-11-30 19:05:12
export function utc(iso) {
  const [day, time] = new Date(iso).toISOString().split("T");
  return `${day} ${time.slice(0, 8)}`;
}

export const day = (iso) => new Date(iso).toISOString().slice(0, 10);
export const clock = (iso) => new Date(iso).toISOString().slice(11, 23);

export function sum(counts, last) {
  return counts.slice(-last).reduce((all, one) => all + one, 0);
}
