// One payment while a page looks at it: what is known, what the payer has to do, and the promises of its ends.

import { backoff, pause } from "./backoff.js";
import { stopped, type Connector } from "./connector.js";
import { START, next, type FollowState, type Happening, type Step } from "./follow.js";
import { CheckoutError } from "./problem.js";
import { freesOrder, isNews, isSettled, outcomeOf, type Outcome } from "./status.js";
import type { KeyStore } from "./store.js";
import type { NextAction, Payment, Problem } from "./types.js";

/** After the payer's answer the gateway is read; if nothing changed for this long, the payer may try again. Milliseconds. */
const ANSWER_SHOWS_WITHIN = 5_000;
/** `continue` is only news for the connector, which hears of it by webhook too. */
const PROCEED_TRIES = 6;

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
  stripe_sdk?: (action: Extract<NextAction, { type: "stripe_sdk" }>, payment: Payment) => Promise<boolean | void>;
  /** As `stripe_sdk`, for another gateway's script. */
  gateway?: (payload: unknown, payment: Payment) => Promise<boolean | void>;
}

/** What a run works with. */
export interface Means {
  connector: Connector;
  store: KeyStore;
  handlers: ActionHandlers;
}

export class PaymentRun {
  readonly orderId: string;
  /** Resolves when the payment has ended for the payer: paid or not. Rejects with a `CheckoutError`. */
  readonly done: Promise<Payment>;
  /** Resolves when Cleeng has it too, or an operator has to tell it; for a shop that waits for access. */
  readonly settled: Promise<Payment>;
  readonly #means: Means;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #closers = new Set<() => void>();
  #view: View = { phase: "sending", payment: null, action: null, outcome: null, connection: "good", problem: null };
  #isOver = false;
  /** The action that the handler has had, as text. */
  #acted: string | null = null;
  #end!: { done: Ends<Payment>; settled: Ends<Payment> };

  constructor(orderId: string, means: Means, signal: AbortSignal | undefined) {
    this.orderId = orderId;
    this.#means = means;
    const ends: Partial<{ done: Ends<Payment>; settled: Ends<Payment> }> = {};
    this.done = new Promise((resolve, reject) => (ends.done = { resolve, reject }));
    this.settled = new Promise((resolve, reject) => (ends.settled = { resolve, reject }));
    this.#end = ends as { done: Ends<Payment>; settled: Ends<Payment> };
    // Whoever does not wait for an end is not told of its failure as an unhandled rejection.
    this.done.catch(() => undefined);
    this.settled.catch(() => undefined);
    signal?.addEventListener("abort", () => this.stop(), { once: true });
    if (signal?.aborted) this.stop();
  }

  get view(): View {
    return this.#view;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether nothing more comes: settled, failed or stopped. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Calls back with each view, from the present one on. Returns how to stop that. */
  subscribe(listener: (view: View) => void): () => void {
    const tell = () => listener(this.#view);
    this.#listeners.add(tell);
    tell();
    return () => this.#listeners.delete(tell);
  }

  /** Each view from the present one on; ends when nothing more comes. */
  get updates(): AsyncIterable<View> {
    return { [Symbol.asyncIterator]: () => this.#iterate() };
  }

  /** Follows no longer. The payment goes on, and `resume` finds it. */
  stop(): void {
    this.#abort.abort(new CheckoutError("aborted"));
    this.fail(new CheckoutError("aborted"));
  }

  /** Asks the payer again for what is open: to be called from a click. */
  async act(): Promise<void> {
    const { payment } = this.#view;
    if (payment?.nextAction && payment.status === "requires_action" && this.#view.action !== "running") {
      await this.#act(payment, payment.nextAction);
    }
  }

  /** @internal */
  show(change: Partial<View>): void {
    if (this.#isOver) return;
    this.#view = { ...this.#view, ...change };
    for (const tell of this.#listeners) tell();
  }

  /** @internal */
  fail(error: unknown): void {
    const told = error instanceof CheckoutError ? error : this.signal.aborted ? new CheckoutError("aborted") : error;
    this.#end.done.reject(told);
    this.#end.settled.reject(told);
    this.#finish();
  }

  /**
   * Follows the payment until it is settled. `isBack`: the payer comes from the page that the action sent them to.
   * @internal
   */
  async follow(key: string, payment: Payment, isBack: boolean): Promise<void> {
    if (isBack) this.#acted = JSON.stringify(payment.nextAction);
    this.#learn(key, payment);
    if (isBack && payment.status === "requires_action") void this.#proceed(payment).catch(() => undefined);
    const at: { state: FollowState; step: Step } = { state: START, step: isSettled(payment) ? { do: "stop" } : { do: "stream", after: 0 } };
    const decide = (happening: Happening) => {
      [at.state, at.step] = next(at.state, happening, Math.random());
      this.show({ connection: happening.type === "failed" ? "lost" : "good" });
    };
    while (at.step.do !== "stop") {
      stopped(this.signal);
      const { step } = at;
      if (step.do !== "listen") await pause(step.after, this.signal, true);
      if (step.do === "poll") await this.#poll(key, payment.id, decide);
      else await this.#listen(key, payment.id, at.state.lastEventId, decide, () => at.step.do === "listen");
    }
    const { payment: last } = this.#view;
    if (last) this.#end.settled.resolve(last);
    this.#finish();
  }

  async #poll(key: string, id: string, decide: (happening: Happening) => void): Promise<void> {
    const answer = await this.#means.connector.read(id, this.signal);
    stopped(this.signal);
    if (answer.kind === "refused") throw new CheckoutError("refused", answer.problem);
    if (answer.kind === "again") return decide({ type: "failed", after: answer.after });
    this.#learn(key, answer.payment);
    decide({ type: "polled", settled: isSettled(answer.payment) });
  }

  async #listen(key: string, id: string, lastEventId: string | null, decide: (happening: Happening) => void, goesOn: () => boolean): Promise<void> {
    const stream = await this.#means.connector.stream(id, lastEventId, this.signal);
    stopped(this.signal);
    if (stream.kind === "refused") throw new CheckoutError("refused", stream.problem);
    if (stream.kind === "again") return decide({ type: "failed", after: stream.after });
    this.show({ connection: "good" });
    try {
      for await (const events of stream.events) {
        for (const event of events) {
          if (event.name !== "payment") continue;
          const payment = JSON.parse(event.data) as Payment;
          this.#learn(key, payment);
          decide({ type: "event", id: event.id, settled: isSettled(payment) });
          if (!goesOn()) return;
        }
      }
    } catch {
      stopped(this.signal);
      return decide({ type: "failed", after: null });
    }
    decide({ type: "ended" });
  }

  #learn(key: string, payment: Payment): void {
    if (!isNews(this.#view.payment, payment)) return;
    const outcome = outcomeOf(payment);
    const asks = payment.status === "requires_action" && payment.nextAction !== null;
    const action = asks ? (this.#view.action ?? "open") : null;
    this.show({ payment, outcome, action, problem: null, phase: outcome ? "over" : asks ? "payer" : "working" });
    if (asks && payment.nextAction && JSON.stringify(payment.nextAction) !== this.#acted) void this.#act(payment, payment.nextAction);
    if (outcome === null) return;
    // A declined attempt's key is spent; one that was paid is what a reload finds.
    if (freesOrder(payment)) this.#means.store.remove(this.orderId, key);
    this.#end.done.resolve(payment);
  }

  async #act(payment: Payment, action: NextAction): Promise<void> {
    this.#acted = JSON.stringify(action);
    this.show({ action: "running" });
    let isAnswered = false;
    try {
      isAnswered = await this.#hand(payment, action);
    } catch {
      // The script could not be loaded, or failed: the payer may try again.
    }
    if (this.signal.aborted || this.#view.phase !== "payer") return;
    if (!isAnswered) return this.show({ action: "open" });
    await this.#proceed(payment).catch(() => undefined);
  }

  async #hand(payment: Payment, action: NextAction): Promise<boolean> {
    const { redirect, stripe_sdk, gateway } = this.#means.handlers;
    switch (action.type) {
      case "redirect": {
        const entry = this.#means.store.get(this.orderId);
        if (entry?.paymentId === payment.id) this.#means.store.put({ ...entry, away: true });
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

  async #proceed(payment: Payment): Promise<void> {
    this.show({ action: "answered" });
    for (let failures = 1; failures <= PROCEED_TRIES; failures += 1) {
      const answer = await this.#means.connector.proceed(payment.id, this.signal);
      // Refused: the webhook was faster, and nothing is awaited any more. Following shows what is.
      if (answer.kind !== "again") break;
      await pause(backoff(failures, Math.random(), answer.after), this.signal, true);
    }
    const late = () => this.#view.action === "answered" && this.show({ action: "open" });
    const timer = setTimeout(late, ANSWER_SHOWS_WITHIN);
    this.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  async *#iterate(): AsyncGenerator<View> {
    const waiting: View[] = [];
    let wake = () => {};
    const unsubscribe = this.subscribe((view) => {
      waiting.push(view);
      wake();
    });
    const over = () => wake();
    this.#closers.add(over);
    try {
      for (;;) {
        for (let view = waiting.shift(); view; view = waiting.shift()) yield view;
        if (this.#isOver) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      unsubscribe();
      this.#closers.delete(over);
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const close of this.#closers) close();
    this.#abort.abort(new CheckoutError("aborted"));
  }
}

interface Ends<T> {
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

function leave(url: string): void {
  const target = new URL(url, location.href);
  if (target.protocol !== "https:" && target.protocol !== "http:") throw new Error("not a page");
  location.assign(target);
}
