// The package's door.
export { createCheckout } from "./checkout.js";
export { CheckoutError, wordOf } from "./problem.js";
export { PaymentRun } from "./run.js";
export { freesOrder, isSettled, outcomeOf } from "./status.js";
export { declined, wordsFor, wordsForError } from "./words.js";
