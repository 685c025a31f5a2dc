import { type Connector } from "./connector.js";
import { type Problem } from "./problem.js";
import { type Outcome } from "./status.js";
import type { KeyStore } from "./store.js";
import type { NextAction, Payment } from "./types.js";
/** All that a page shows of a payment. */
export interface View {
    /** `sending`: not taken in yet. `working`: wait. `payer`: the payer has to act. `over`: see `outcome`. */
    readonly phase: "sending" | "working" | "payer" | "over";
    readonly payment: Payment | null;
    /** In `payer`. `running`: the handler is at it. `open`: it gave up, offer `act()`. `answered`: the connector reads what came of it. */
    readonly action: "running" | "open" | "answered" | null;
    readonly outcome: Outcome | null;
    /** `lost`: the last request had no answer; it is repeated. */
    readonly connection: "good" | "lost";
    /** The connector is there but asks to wait (503, 429); the request is repeated. */
    readonly problem: Problem | null;
}
/** What a page does when the payer has to act. */
export interface ActionHandlers {
    /** Sends the payer to the bank's page. Without one, `location.assign`. */
    redirect?: (url: string, payment: Payment) => void | Promise<void>;
    /** Hands over to Stripe's script, and resolves when it is done. False: the payer left it open; offer `act()`. */
    stripe_sdk?: (action: Extract<NextAction, {
        type: "stripe_sdk";
    }>, payment: Payment) => Promise<boolean | void>;
    /** As `stripe_sdk`, for another gateway's script. */
    gateway?: (payload: unknown, payment: Payment) => Promise<boolean | void>;
}
/** What a run works with. */
export interface Means {
    connector: Connector;
    store: KeyStore;
    handlers: ActionHandlers;
}
export declare class PaymentRun {
    #private;
    readonly orderId: string;
    /** Resolves when the payment has ended for the payer: paid or not. Rejects with a `CheckoutError`. */
    readonly done: Promise<Payment>;
    /** Resolves when Cleeng has it too, or an operator has to tell it; for a shop that waits for access. */
    readonly settled: Promise<Payment>;
    constructor(orderId: string, means: Means, signal: AbortSignal | undefined);
    get view(): View;
    get signal(): AbortSignal;
    /** Whether nothing more comes: settled, failed or stopped. */
    get isOver(): boolean;
    /** Calls back with each view, from the present one on. Returns how to stop that. */
    subscribe(listener: (view: View) => void): () => void;
    /** Each view from the present one on; ends when nothing more comes. */
    get updates(): AsyncIterable<View>;
    /** Follows no longer. The payment goes on, and `resume` finds it. */
    stop(): void;
    /** Asks the payer again for what is open: to be called from a click. */
    act(): Promise<void>;
    /** @internal */
    show(change: Partial<View>): void;
    /** @internal */
    fail(error: unknown): void;
    /**
     * Follows the payment until it is settled. `isBack`: the payer comes from the page that the action sent them to.
     * @internal
     */
    follow(key: string, payment: Payment, isBack: boolean): Promise<void>;
}
