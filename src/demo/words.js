// The words of the page: the cases, what each status means, and what the books prove. Pure: no page, no network.

export const CASES = [
  { id: "approved", title: "Approved", text: "Charged at once.", stripe: "pm_card_visa", simulated: "tok_ok" },
  { id: "declined", title: "Declined", text: "Not enough funds. A decline is an outcome, and Cleeng hears of it.", stripe: "pm_card_chargeDeclinedInsufficientFunds", simulated: "tok_declined" },
  { id: "3ds", title: "Needs 3-D Secure", text: "The payer confirms at the bank, then comes back.", stripe: "pm_card_threeDSecure2Required", simulated: "tok_3ds" },
  { id: "dropped", title: "Charged, then silence", text: "The gateway takes the money and hangs up without an answer.", stripe: "pm_sim_commit_then_drop", simulated: "tok_sim_commit_then_drop" },
  { id: "fraud", title: "Blocked as fraud", text: "The gateway's risk engine says no.", stripe: "pm_card_radarBlock", simulated: "tok_fraud" },
  { id: "pending", title: "Pending", text: "The gateway takes its time and sends a webhook later.", stripe: "pm_card_pending", simulated: "tok_pending" },
];

// Per status: its name, what it means, and its colour.
const STATUSES = {
  accepted: ["Accepted", "Safely in the queue; the browser has its 202.", "busy"],
  processing: ["Processing", "A worker has it and calls the gateway.", "busy"],
  requires_action: ["Waiting for the payer", "The bank asks the payer to confirm.", "wait"],
  pending: ["Pending", "The gateway works on it and will send word.", "wait"],
  in_doubt: ["In doubt", "The charge was sent and its answer was lost. It is found out, not guessed.", "wait"],
  authorized: ["Authorized", "The gateway holds the amount.", "good"],
  captured: ["Captured", "The gateway has taken the money.", "good"],
  partially_refunded: ["Partially refunded", "Part of the money went back.", "wait"],
  refunded: ["Refunded", "The money went back.", "wait"],
  charged_back: ["Charged back", "The payer's bank took the money back.", "bad"],
  rejected: ["Declined", "The gateway said no. No money moved.", "bad"],
  cancelled: ["Cancelled", "It was ended before any money moved.", "bad"],
  expired: ["Expired", "The time to pay had passed. Nothing was charged.", "bad"],
  failed: ["Needs an operator", "It cannot go on by itself.", "bad"],
};
const CONFIRMATIONS = {
  queued: ["Report to Cleeng queued", "It is sent until Cleeng has it.", "busy"],
  delivered: ["Reported to Cleeng", "", "good"],
  dead_lettered: ["Report needs an operator", "Cleeng refused it; it waits among the dead letters.", "bad"],
};
const CLASSES = {
  soft: "may work later",
  technical: "a fault on the network's side",
  needs_customer: "the payer has to act",
  hard: "not with this card",
  fraud: "suspected fraud",
  invalid_order: "the order cannot be paid",
};
const FINAL = ["authorized", "captured", "partially_refunded", "refunded", "charged_back", "rejected", "cancelled", "expired", "failed"];
const HOLDS_MONEY = ["authorized", "captured"];
const NO_MONEY = ["rejected", "cancelled", "expired"];

const sentence = (code) => code.replaceAll("_", " ");

export const gatewayName = (gateway) => ({ stripe: "Stripe", simulated: "Simulated" })[gateway] ?? gateway;
export const caseOf = (id) => CASES.find((one) => one.id === id) ?? CASES[0];
export const times = (count) => (count === 1 ? "once" : count === 2 ? "twice" : `${count} times`);

export function statusWords(status) {
  const [title, text, tone] = STATUSES[status] ?? [sentence(status), "", "busy"];
  return { title, text, tone };
}

export function confirmationWords(confirmation) {
  const [title, text, tone] = CONFIRMATIONS[confirmation.status] ?? [sentence(confirmation.status), "", "busy"];
  const id = confirmation.cleengPaymentId;
  return { title, text: confirmation.status === "delivered" && id ? `Cleeng's payment ${id}.` : text, tone };
}

export function declineWords(decline) {
  return `${sentence(decline.code)}: ${CLASSES[decline.class] ?? sentence(decline.class)}`;
}

export function money(amount) {
  if (!amount) return "–";
  const format = new Intl.NumberFormat("en", { style: "currency", currency: amount.currency });
  const digits = format.resolvedOptions().maximumFractionDigits;
  return format.format(amount.value / 10 ** digits);
}

export const isFinal = (payment) => FINAL.includes(payment.status);
export const isSettled = (payment) => isFinal(payment) && payment.confirmation.status !== "queued";

// How often money must have moved and Cleeng must have been told by now; nothing while that is open.
function expected(payment) {
  const told = payment.decline?.class === "invalid_order" || payment.status === "expired" ? 0 : 1;
  if (HOLDS_MONEY.includes(payment.status)) return { moved: 1, told };
  if (NO_MONEY.includes(payment.status)) return { moved: 0, told };
  return null;
}

export function booksAgree(payment, records) {
  const due = isSettled(payment) && payment.confirmation.status !== "dead_lettered" ? expected(payment) : null;
  const ids = records.gateway.charges.map((one) => one.id);
  const told = records.cleeng.payments;
  return Boolean(due) && records.gateway.moneyMoved === due.moved && told.length === due.told && told.every((one) => ids.length === 0 || ids.includes(one.externalPaymentId));
}

// What this run shows, in plain words: said only of what the two books really say.
export function proof(payment, records, caseId) {
  if (!records || !isSettled(payment) || !expected(payment)) return null;
  const moved = records.gateway.moneyMoved;
  const told = records.cleeng.payments.length;
  if (booksAgree(payment, records)) return agreement(moved, told, caseId);
  if (payment.externalPaymentId && records.gateway.charges.length === 0 && told === 0) {
    return { tone: "wait", text: "The simulator has no memory of this payment: it was restarted since." };
  }
  return { tone: "bad", text: `The books do not agree: money moved ${times(moved)}, Cleeng has ${told === 1 ? "one record" : `${told} records`}, and the payment is ${sentence(payment.status)}.` };
}

function agreement(moved, told, caseId) {
  if (moved === 0) {
    return { tone: "good", text: told === 0 ? "Nothing was charged, and Cleeng was told of nothing: nothing happened." : WITHOUT_MONEY[caseId] ?? "No money moved, and Cleeng knows it: one record, with the reason." };
  }
  return { tone: "good", text: WITH_MONEY[caseId] ?? "Charged once, reported once." };
}

const WITH_MONEY = {
  approved: "Charged once, reported once. Both books carry the gateway's own id.",
  "3ds": "Nothing was charged until the bank agreed. Then: charged once, reported once.",
  dropped: "The gateway charged and hung up. The connector did not guess and did not charge anew; it found out what had happened: charged once, reported once.",
  pending: "The gateway took its time. The outcome came later and found its payment: charged once, reported once.",
};
const WITHOUT_MONEY = {
  declined: "A decline is an outcome, not an error: no money moved, and Cleeng has it on record with its reason.",
  "3ds": "The bank was told no: no money moved, and Cleeng has the rejection on record.",
  fraud: "The gateway blocked it: no money moved, and Cleeng has the rejection on record.",
};
