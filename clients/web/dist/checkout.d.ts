import { PaymentRun, type ActionHandlers } from "./run.js";
import { type StorageLike } from "./store.js";
import type { NewPayment } from "./types.js";
export interface CheckoutOptions {
    /** Where the connector is, such as `https://pay.shop.example`; empty when it answers on the page's own origin. */
    baseUrl: string;
    /** The customer's token, asked for before each request. Without it no credential is sent. */
    token?: () => string | Promise<string>;
    /** What outlives a reload; `localStorage` where there is one. Tabs that share it share the payment. */
    storage?: StorageLike | null;
    fetch?: typeof fetch;
    /** What the page does when the payer has to act. */
    actions?: ActionHandlers;
}
export interface PayOptions extends NewPayment {
    /** Ends the following, not the payment. */
    signal?: AbortSignal;
}
/** What is known here of an order: nothing, a request whose answer never came, or a payment. */
export type Memory = "nothing" | "unanswered" | "payment";
export interface Checkout {
    /**
     * Pays the order and follows the payment. A second call while one is under way, here or in another tab, joins it; after a
     * decline it is a new attempt under a new key. A payment that the order already has is followed instead.
     */
    pay(options: PayOptions): PaymentRun;
    /** After a reload, or on the way back from the bank: follows what this browser has begun for the order, or null. */
    resume(orderId: number | string, signal?: AbortSignal): PaymentRun | null;
    /** After `unanswered` the payer fills in the form again; `pay` then finds out whether the first request had arrived. */
    remembers(orderId: number | string): Memory;
    /** Calls back when another tab begins a payment of the order. Returns how to stop that. */
    onElsewhere(orderId: number | string, begun: () => void): () => void;
}
export declare function createCheckout(options: CheckoutOptions): Checkout;
