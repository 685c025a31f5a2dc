import type { Payment } from "./types.js";
/** How a payment ended, seen by the payer. */
export type Outcome = 
/** Charged, or held for a later capture. */
"paid"
/** The bank or the gateway said no: another try may be made. */
 | "declined"
/** Cancelled or run out of time, nothing was charged: another try may be made. */
 | "ended"
/** The money went back, or was taken back. */
 | "returned"
/** Nobody knows yet: an operator looks. No other try is possible, and none should be suggested. */
 | "unclear";
/** How it ended; null while it goes on, and for a status of a later version. */
export declare function outcomeOf(payment: Payment): Outcome | null;
/** Whether nothing more will be seen: the outcome is there, and Cleeng has it or an operator has to tell it. */
export declare function isSettled(payment: Payment): boolean;
/** Whether the order may be paid by another payment: this one has ended without money. */
export declare function freesOrder(payment: Payment): boolean;
/** Whether `later` tells more than what is known. A stream that begins anew tells old things first. */
export declare function isNews(known: Payment | null, later: Payment): boolean;
