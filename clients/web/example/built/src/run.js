// One payment while a page looks at it: what is known, what the payer has to do, and the promises of its ends.
import { backoff, pause } from "./backoff.js";
import { stopped } from "./connector.js";
import { START, next } from "./follow.js";
import { CheckoutError } from "./problem.js";
import { freesOrder, isNews, isSettled, outcomeOf } from "./status.js";
/** After the payer's answer the gateway is read; if nothing changed for this long, the payer may try again. Milliseconds. */
const ANSWER_SHOWS_WITHIN = 5_000;
/** `continue` is only news for the connector, which hears of it by webhook too. */
const PROCEED_TRIES = 6;
export class PaymentRun {
    orderId;
    /** Resolves when the payment has ended for the payer: paid or not. Rejects with a `CheckoutError`. */
    done;
    /** Resolves when Cleeng has it too, or an operator has to tell it; for a shop that waits for access. */
    settled;
    #means;
    #abort = new AbortController();
    #listeners = new Set();
    #closers = new Set();
    #view = { phase: "sending", payment: null, action: null, outcome: null, connection: "good", problem: null };
    #isOver = false;
    /** The action that the handler has had, as text. */
    #acted = null;
    #end;
    constructor(orderId, means, signal) {
        this.orderId = orderId;
        this.#means = means;
        const ends = {};
        this.done = new Promise((resolve, reject) => (ends.done = { resolve, reject }));
        this.settled = new Promise((resolve, reject) => (ends.settled = { resolve, reject }));
        this.#end = ends;
        // Whoever does not wait for an end is not told of its failure as an unhandled rejection.
        this.done.catch(() => undefined);
        this.settled.catch(() => undefined);
        signal?.addEventListener("abort", () => this.stop(), { once: true });
        if (signal?.aborted)
            this.stop();
    }
    get view() {
        return this.#view;
    }
    get signal() {
        return this.#abort.signal;
    }
    /** Whether nothing more comes: settled, failed or stopped. */
    get isOver() {
        return this.#isOver;
    }
    /** Calls back with each view, from the present one on. Returns how to stop that. */
    subscribe(listener) {
        const tell = () => listener(this.#view);
        this.#listeners.add(tell);
        tell();
        return () => this.#listeners.delete(tell);
    }
    /** Each view from the present one on; ends when nothing more comes. */
    get updates() {
        return { [Symbol.asyncIterator]: () => this.#iterate() };
    }
    /** Follows no longer. The payment goes on, and `resume` finds it. */
    stop() {
        this.#abort.abort(new CheckoutError("aborted"));
        this.fail(new CheckoutError("aborted"));
    }
    /** Asks the payer again for what is open: to be called from a click. */
    async act() {
        const { payment } = this.#view;
        if (payment?.nextAction && payment.status === "requires_action" && this.#view.action !== "running") {
            await this.#act(payment, payment.nextAction);
        }
    }
    /** @internal */
    show(change) {
        if (this.#isOver)
            return;
        this.#view = { ...this.#view, ...change };
        for (const tell of this.#listeners)
            tell();
    }
    /** @internal */
    fail(error) {
        const told = error instanceof CheckoutError ? error : this.signal.aborted ? new CheckoutError("aborted") : error;
        this.#end.done.reject(told);
        this.#end.settled.reject(told);
        this.#finish();
    }
    /**
     * Follows the payment until it is settled. `isBack`: the payer comes from the page that the action sent them to.
     * @internal
     */
    async follow(key, payment, isBack) {
        if (isBack)
            this.#acted = JSON.stringify(payment.nextAction);
        this.#learn(key, payment);
        if (isBack && payment.status === "requires_action")
            void this.#proceed(payment).catch(() => undefined);
        const at = { state: START, step: isSettled(payment) ? { do: "stop" } : { do: "stream", after: 0 } };
        const decide = (happening) => {
            [at.state, at.step] = next(at.state, happening, Math.random());
            this.show({ connection: happening.type === "failed" ? "lost" : "good" });
        };
        while (at.step.do !== "stop") {
            stopped(this.signal);
            const { step } = at;
            if (step.do !== "listen")
                await pause(step.after, this.signal, true);
            if (step.do === "poll")
                await this.#poll(key, payment.id, decide);
            else
                await this.#listen(key, payment.id, at.state.lastEventId, decide, () => at.step.do === "listen");
        }
        const { payment: last } = this.#view;
        if (last)
            this.#end.settled.resolve(last);
        this.#finish();
    }
    async #poll(key, id, decide) {
        const answer = await this.#means.connector.read(id, this.signal);
        stopped(this.signal);
        if (answer.kind === "refused")
            throw new CheckoutError("refused", answer.problem);
        if (answer.kind === "again")
            return decide({ type: "failed", after: answer.after });
        this.#learn(key, answer.payment);
        decide({ type: "polled", settled: isSettled(answer.payment) });
    }
    async #listen(key, id, lastEventId, decide, goesOn) {
        const stream = await this.#means.connector.stream(id, lastEventId, this.signal);
        stopped(this.signal);
        if (stream.kind === "refused")
            throw new CheckoutError("refused", stream.problem);
        if (stream.kind === "again")
            return decide({ type: "failed", after: stream.after });
        this.show({ connection: "good" });
        try {
            for await (const events of stream.events) {
                for (const event of events) {
                    if (event.name !== "payment")
                        continue;
                    const payment = JSON.parse(event.data);
                    this.#learn(key, payment);
                    decide({ type: "event", id: event.id, settled: isSettled(payment) });
                    if (!goesOn())
                        return;
                }
            }
        }
        catch {
            stopped(this.signal);
            return decide({ type: "failed", after: null });
        }
        decide({ type: "ended" });
    }
    #learn(key, payment) {
        if (!isNews(this.#view.payment, payment))
            return;
        const outcome = outcomeOf(payment);
        const asks = payment.status === "requires_action" && payment.nextAction !== null;
        const action = asks ? (this.#view.action ?? "open") : null;
        this.show({ payment, outcome, action, problem: null, phase: outcome ? "over" : asks ? "payer" : "working" });
        if (asks && payment.nextAction && JSON.stringify(payment.nextAction) !== this.#acted)
            void this.#act(payment, payment.nextAction);
        if (outcome === null)
            return;
        // A declined attempt's key is spent; one that was paid is what a reload finds.
        if (freesOrder(payment))
            this.#means.store.remove(this.orderId, key);
        this.#end.done.resolve(payment);
    }
    async #act(payment, action) {
        this.#acted = JSON.stringify(action);
        this.show({ action: "running" });
        let isAnswered = false;
        try {
            isAnswered = await this.#hand(payment, action);
        }
        catch {
            // The script could not be loaded, or failed: the payer may try again.
        }
        if (this.signal.aborted || this.#view.phase !== "payer")
            return;
        if (!isAnswered)
            return this.show({ action: "open" });
        await this.#proceed(payment).catch(() => undefined);
    }
    async #hand(payment, action) {
        const { redirect, stripe_sdk, gateway } = this.#means.handlers;
        switch (action.type) {
            case "redirect": {
                const entry = this.#means.store.get(this.orderId);
                if (entry?.paymentId === payment.id)
                    this.#means.store.put({ ...entry, away: true });
                await (redirect ?? leave)(action.url, payment);
                // The page goes away now. If the payer comes back without a load, the way to the bank is offered again.
                return false;
            }
            case "stripe_sdk":
                return stripe_sdk !== undefined && (await stripe_sdk(action, payment)) !== false;
            case "gateway":
                return gateway !== undefined && (await gateway(action.payload, payment)) !== false;
        }
    }
    async #proceed(payment) {
        this.show({ action: "answered" });
        for (let failures = 1; failures <= PROCEED_TRIES; failures += 1) {
            const answer = await this.#means.connector.proceed(payment.id, this.signal);
            // Refused: the webhook was faster, and nothing is awaited any more. Following shows what is.
            if (answer.kind !== "again")
                break;
            await pause(backoff(failures, Math.random(), answer.after), this.signal, true);
        }
        const late = () => this.#view.action === "answered" && this.show({ action: "open" });
        const timer = setTimeout(late, ANSWER_SHOWS_WITHIN);
        this.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
    }
    async *#iterate() {
        const waiting = [];
        let wake = () => { };
        const unsubscribe = this.subscribe((view) => {
            waiting.push(view);
            wake();
        });
        const over = () => wake();
        this.#closers.add(over);
        try {
            for (;;) {
                for (let view = waiting.shift(); view; view = waiting.shift())
                    yield view;
                if (this.#isOver)
                    return;
                await new Promise((resolve) => (wake = resolve));
            }
        }
        finally {
            unsubscribe();
            this.#closers.delete(over);
        }
    }
    #finish() {
        if (this.#isOver)
            return;
        this.#isOver = true;
        for (const close of this.#closers)
            close();
        this.#abort.abort(new CheckoutError("aborted"));
    }
}
function leave(url) {
    const target = new URL(url, location.href);
    if (target.protocol !== "https:" && target.protocol !== "http:")
        throw new Error("not a page");
    location.assign(target);
}
