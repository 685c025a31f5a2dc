// What to tell the payer, in plain English; a shop in another language has a table of its own over the same keys.
import { CheckoutError, wordOf } from "./problem.js";
const words = (tone, title, text) => ({ tone, title, text });
/** What the payer is told of a payment. */
export function wordsFor(view) {
    if (view.phase === "over")
        return ended(view);
    if (view.connection === "lost") {
        return words("wait", "Your connection was interrupted", "We keep trying. You will not be charged twice, so there is no need to start again.");
    }
    if (view.problem)
        return words("wait", "We are busier than usual", "Your payment is next in line. Please keep this page open.");
    if (view.phase === "sending")
        return words("busy", "Sending your payment", "This takes a moment. Please keep this page open.");
    if (view.phase === "payer")
        return acting(view);
    if (view.payment?.status === "in_doubt") {
        return words("wait", "Checking with your bank", "The answer takes longer than usual. We find out what happened before anything else is done, so you are charged at most once.");
    }
    if (view.payment?.status === "pending") {
        return words("wait", "Your bank is working on it", "This can take a while. You may close this page: the payment goes on.");
    }
    return words("busy", "Processing your payment", "This usually takes a few seconds.");
}
function acting(view) {
    if (view.action === "answered")
        return words("busy", "Thank you. Checking with your bank", "This usually takes a few seconds.");
    if (view.action === "running")
        return words("act", "Your bank asks you to confirm", "Follow the steps that your bank shows you.");
    return words("act", "Your bank asks you to confirm", "The payment waits for your confirmation. Nothing is charged until then.");
}
function ended(view) {
    switch (view.outcome) {
        case "paid":
            return words("good", "Payment received", "Thank you. Your order is paid.");
        case "declined":
            return declined(view.payment?.decline ?? null);
        case "returned":
            return words("good", "Your money was returned", "Depending on your bank it shows on your account in a few days.");
        case "unclear":
            return words("bad", "We could not finish your payment", "Please do not pay again. We look into it and get in touch with you.");
        case "ended":
        case null:
            return view.payment?.status === "expired"
                ? words("bad", "Time ran out", "The payment was not confirmed in time, and nothing was charged. You can try again.")
                : words("bad", "The payment was cancelled", "Nothing was charged. You can try again.");
    }
}
const CODES = {
    insufficient_funds: ["There is not enough money on this card", "Nothing was charged. Try another card, or the same one later."],
    expired_card: ["This card has expired", "Nothing was charged. Please use another card."],
    incorrect_cvc: ["The security code is not right", "Nothing was charged. Check the three or four digits on your card and try again."],
    invalid_cvc: ["The security code is not right", "Nothing was charged. Check the three or four digits on your card and try again."],
    incorrect_number: ["The card number is not right", "Nothing was charged. Check the number and try again."],
    payment_intent_authentication_failure: ["Your bank could not confirm it was you", "Nothing was charged. Try again, or use another card."],
    authentication_required: ["Your bank wants you to confirm this payment", "Nothing was charged. Try again and follow the steps that your bank shows you."],
};
/** Lost, stolen and suspicious cards are told as any other: the wrong person may be reading. */
export function declined(decline) {
    const [title, text] = CODES[decline?.code ?? ""] ?? byClass(decline);
    return words("bad", title, text);
}
function byClass(decline) {
    switch (decline?.class) {
        case "technical":
            return ["The payment did not go through", "Nothing was charged. The card network had a problem; please try again in a few minutes."];
        case "needs_customer":
            return ["Your bank needs something from you", "Nothing was charged. Check your card's details and try again."];
        case "invalid_order":
            return ["This order can no longer be paid", "Nothing was charged. Please go back to the shop and order again."];
        case "soft":
        case "hard":
        case "fraud":
        default:
            return ["Your card was declined", "Nothing was charged. Please try another card, or ask your bank."];
    }
}
/** What the payer is told when `done` rejects. `refused` is mostly the page's fault: log its problem. */
export function wordsForError(error) {
    if (error instanceof CheckoutError && error.reason === "unreachable") {
        return words("wait", "We cannot reach the payment service", "Check your connection and press Pay again. If your payment had arrived it is found, and you are charged once.");
    }
    const word = error instanceof CheckoutError && error.problem ? wordOf(error.problem) : "";
    if (word === "unauthorized")
        return words("bad", "Please sign in again", "Your session has ended. Nothing was charged.");
    if (word === "unknown-payment")
        return words("bad", "We do not know this payment any more", "Please check your receipts before you pay again.");
    return words("bad", "The payment could not be started", "Nothing was charged. Please try again, or contact us if it stays like this.");
}
