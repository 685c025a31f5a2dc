// The package's door.

export { createCheckout, type Checkout, type CheckoutOptions, type Memory, type PayOptions } from "./checkout.js";
export { CheckoutError, wordOf, type ProblemWord, type Reason } from "./problem.js";
export { PaymentRun, type ActionHandlers, type View } from "./run.js";
export { freesOrder, isSettled, outcomeOf, type Outcome } from "./status.js";
export type { Entry, StorageLike } from "./store.js";
export type * from "./types.js";
export { declined, wordsFor, wordsForError, type Words } from "./words.js";
