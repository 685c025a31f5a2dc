// Paying an order: the key is remembered before the first request leaves, and an order has one payment at a time, in all tabs.

import { backoff, pause } from "./backoff.js";
import { Connector, stopped } from "./connector.js";
import { exclusively } from "./lock.js";
import { CheckoutError, paymentIdIn, wordOf } from "./problem.js";
import { PaymentRun, type ActionHandlers, type Means } from "./run.js";
import { freesOrder } from "./status.js";
import { KeyStore, nameOf, type Entry, type StorageLike } from "./store.js";
import type { NewPayment, Payment, Problem } from "./types.js";

/** After so many requests in a row without an answer the caller decides whether to go on. About two minutes. */
const SUBMIT_TRIES = 16;

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

export function createCheckout(options: CheckoutOptions): Checkout {
  const store = new KeyStore(options.storage === undefined ? ownStorage() : options.storage);
  const connector = new Connector({
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    token: options.token ?? null,
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
  });
  const means: Means = { connector, store, handlers: options.actions ?? {} };
  const runs = new Map<string, PaymentRun>();
  store.prune(Date.now());

  const start = (orderId: string, signal: AbortSignal | undefined, work: (run: PaymentRun) => Promise<void>): PaymentRun => {
    const run = new PaymentRun(orderId, means, signal);
    runs.set(orderId, run);
    work(run).catch((error: unknown) => run.fail(error));
    return run;
  };
  /** The run that still decides about the order. */
  const underWay = (orderId: string): PaymentRun | null => {
    const run = runs.get(orderId);
    return run && !run.isOver && run.view.phase !== "over" ? run : null;
  };

  return {
    pay({ signal, ...request }) {
      const orderId = String(request.orderId);
      return underWay(orderId) ?? start(orderId, signal, (run) => payOnce(run, means, { ...request, orderId }));
    },
    resume(id, signal) {
      const orderId = String(id);
      const entry = store.get(orderId);
      const running = underWay(orderId);
      if (running) return running;
      return entry?.paymentId ? start(orderId, signal, (run) => goOn(run, means, entry, entry.paymentId ?? "")) : null;
    },
    remembers(id) {
      const entry = store.get(String(id));
      return entry === null ? "nothing" : entry.paymentId === null ? "unanswered" : "payment";
    },
    onElsewhere(id, begun) {
      const name = nameOf(String(id));
      // Told to the other tabs only.
      const listen = (event: StorageEvent) => {
        if (event.key === name && event.newValue !== null) begun();
      };
      addEventListener("storage", listen);
      return () => removeEventListener("storage", listen);
    },
  };
}

async function payOnce(run: PaymentRun, means: Means, request: NewPayment): Promise<void> {
  const taken = await exclusively(nameOf(run.orderId), run.signal, async () => {
    const known = means.store.get(run.orderId);
    const earlier = known?.paymentId ? await find(run, means, known, known.paymentId) : null;
    if (known && earlier) return { entry: known, payment: earlier };
    return submit(run, means, request);
  });
  await run.follow(taken.entry.key, taken.payment, false);
}

/** The payment that the entry names, if it still decides about the order. */
async function find(run: PaymentRun, means: Means, entry: Entry, id: string): Promise<Payment | null> {
  try {
    const payment = await read(run, means, id);
    if (!freesOrder(payment)) return payment;
  } catch (error) {
    if (!(error instanceof CheckoutError) || error.problem?.status !== 404) throw error;
  }
  means.store.remove(run.orderId, entry.key);
  return null;
}

interface Taken {
  entry: Entry;
  payment: Payment;
}

async function submit(run: PaymentRun, means: Means, request: NewPayment): Promise<Taken> {
  // A key whose answer never came is used again: if its request arrived, or still does, there is one payment all the same.
  const inherited = means.store.get(run.orderId);
  let entry = inherited ?? fresh(run.orderId);
  for (;;) {
    means.store.put(entry);
    const answer = await send(run, means, entry.key, request);
    if (answer.kind === "payment") return remember(means, entry, answer.payment);
    const { problem } = answer;
    const holder = wordOf(problem) === "order-taken" ? paymentIdIn(problem.payment) : null;
    if (holder !== null) {
      const payment = await read(run, means, holder);
      // It may have ended in between; then this one is taken.
      if (freesOrder(payment)) continue;
      return remember(means, entry, payment);
    }
    if (wordOf(problem) !== "idempotency-key-reused" || entry !== inherited) {
      // What is refused under a new key has made nothing.
      if (entry !== inherited) means.store.remove(run.orderId, entry.key);
      throw new CheckoutError("refused", problem);
    }
    // The first request did arrive. Under another key the connector names its payment, or takes this one if that has ended.
    entry = fresh(run.orderId);
  }
}

function remember(means: Means, entry: Entry, payment: Payment): Taken {
  means.store.put({ ...entry, paymentId: payment.id });
  return { entry, payment };
}

/** The same request under the same key until there is an answer. */
async function send(run: PaymentRun, means: Means, key: string, request: NewPayment): Promise<{ kind: "payment"; payment: Payment } | { kind: "refused"; problem: Problem }> {
  return until(run, () => means.connector.submit(key, request, run.signal));
}

async function read(run: PaymentRun, means: Means, id: string): Promise<Payment> {
  const answer = await until(run, () => means.connector.read(id, run.signal));
  if (answer.kind === "refused") throw new CheckoutError("refused", answer.problem);
  return answer.payment;
}

async function until(run: PaymentRun, ask: () => ReturnType<Connector["read"]>) {
  let problem: Problem | null = null;
  for (let failures = 1; failures <= SUBMIT_TRIES; failures += 1) {
    const answer = await ask();
    stopped(run.signal);
    if (answer.kind !== "again") {
      run.show({ connection: "good", problem: null });
      return answer;
    }
    problem = answer.problem;
    run.show({ connection: problem ? "good" : "lost", problem });
    await pause(backoff(failures, Math.random(), answer.after), run.signal, problem === null);
  }
  throw new CheckoutError("unreachable", problem);
}

async function goOn(run: PaymentRun, means: Means, entry: Entry, id: string): Promise<void> {
  if (entry.away) means.store.change(run.orderId, entry.key, { away: false });
  let payment: Payment;
  try {
    payment = await read(run, means, id);
  } catch (error) {
    if (error instanceof CheckoutError && error.problem?.status === 404) means.store.remove(run.orderId, entry.key);
    throw error;
  }
  await run.follow(entry.key, payment, entry.away);
}

function fresh(orderId: string): Entry {
  return { version: 1, orderId, key: crypto.randomUUID(), paymentId: null, away: false, at: Date.now() };
}

/** Reading the property itself throws where storage is forbidden. */
function ownStorage(): StorageLike | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
