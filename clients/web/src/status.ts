// What a payment's status means for a checkout.

import type { Payment, PaymentStatus } from "./types.js";

/** How a payment ended, seen by the payer. */
export type Outcome =
  /** Charged, or held for a later capture. */
  | "paid"
  /** The bank or the gateway said no: another try may be made. */
  | "declined"
  /** Cancelled or run out of time, nothing was charged: another try may be made. */
  | "ended"
  /** The money went back, or was taken back. */
  | "returned"
  /** Nobody knows yet: an operator looks. No other try is possible, and none should be suggested. */
  | "unclear";

const OUTCOMES: Record<PaymentStatus, Outcome | null> = {
  accepted: null,
  processing: null,
  requires_action: null,
  pending: null,
  in_doubt: null,
  authorized: "paid",
  captured: "paid",
  partially_refunded: "paid",
  refunded: "returned",
  charged_back: "returned",
  rejected: "declined",
  cancelled: "ended",
  expired: "ended",
  failed: "unclear",
};

/** How it ended; null while it goes on, and for a status of a later version. */
export function outcomeOf(payment: Payment): Outcome | null {
  return OUTCOMES[payment.status] ?? null;
}

/** Whether nothing more will be seen: the outcome is there, and Cleeng has it or an operator has to tell it. */
export function isSettled(payment: Payment): boolean {
  return outcomeOf(payment) !== null && payment.confirmation.status !== "queued";
}

/** Whether the order may be paid by another payment: this one has ended without money. */
export function freesOrder(payment: Payment): boolean {
  const outcome = outcomeOf(payment);
  return outcome === "declined" || outcome === "ended";
}

/** Whether `later` tells more than what is known. A stream that begins anew tells old things first. */
export function isNews(known: Payment | null, later: Payment): boolean {
  if (known === null) return true;
  // Not as text: RFC 3339 leaves out the zeros behind a fraction, and `56.2Z` is after `56.266Z` there.
  const passed = Date.parse(later.updatedAt) - Date.parse(known.updatedAt);
  if (passed !== 0) return passed > 0;
  if (JSON.stringify(later) === JSON.stringify(known)) return false;
  return outcomeOf(known) === null || outcomeOf(later) !== null;
}
