// The connector's HTTP API: each call ends in a payment, in a wish to be asked again, or in a refusal. It never throws for those.

import { CheckoutError, problemFrom, retryAfter, wordOf } from "./problem.js";
import { EventReader, pieces, type ServerEvent } from "./sse.js";
import type { NewPayment, Payment, Problem } from "./types.js";

/** An answer is given within two seconds, or a 503; the rest is the network's. Milliseconds. */
const ANSWER_WITHIN = 10_000;
/** The connector sends something at least every 15 s; more than two of them missing is a dead stream. Milliseconds. */
const SILENCE = 35_000;

export type Answer =
  | { kind: "payment"; payment: Payment }
  /** No answer, or none that counts: the same request may be sent again, not before `after` milliseconds. */
  | { kind: "again"; after: number | null; problem: Problem | null }
  | { kind: "refused"; problem: Problem };

export type Stream = { kind: "open"; events: AsyncIterable<ServerEvent[]> } | Exclude<Answer, { kind: "payment" }>;

export interface Reach {
  /** Without a slash at the end; empty for the page's own origin. */
  baseUrl: string;
  token: (() => string | Promise<string>) | null;
  fetch: typeof fetch;
}

export class Connector {
  readonly #reach: Reach;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** Asks for a payment. The same key makes a repetition safe. */
  submit(key: string, body: NewPayment, signal: AbortSignal): Promise<Answer> {
    return this.#ask("/v1/payments", post(body, { "idempotency-key": key }), signal);
  }

  read(id: string, signal: AbortSignal): Promise<Answer> {
    return this.#ask(`/v1/payments/${encodeURIComponent(id)}`, { cache: "no-store" }, signal);
  }

  /** Says that the payer has done what was asked. */
  proceed(id: string, signal: AbortSignal): Promise<Answer> {
    return this.#ask(`/v1/payments/${encodeURIComponent(id)}/continue`, post({ details: {} }), signal);
  }

  /** The payment's events after `lastEventId`. Reading them fails when the stream breaks or goes silent. */
  async stream(id: string, lastEventId: string | null, signal: AbortSignal): Promise<Stream> {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastEventId !== null) headers["last-event-id"] = lastEventId;
    const path = `/v1/payments/${encodeURIComponent(id)}/events`;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), ANSWER_WITHIN);
    const response = await this.#send(path, { headers, cache: "no-store" }, any(signal, patience.signal));
    clearTimeout(timer);
    if (response === null) return { kind: "again", after: null, problem: null };
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (response.ok && isStream && response.body) return { kind: "open", events: events(response.body) };
    if (response.ok) return { kind: "again", after: null, problem: null };
    return refusal(response);
  }

  async #ask(path: string, init: RequestInit, signal: AbortSignal): Promise<Answer> {
    const response = await this.#send(path, init, any(signal, AbortSignal.timeout(ANSWER_WITHIN)));
    if (response === null) return { kind: "again", after: null, problem: null };
    if (!response.ok) return refusal(response);
    try {
      const payment = (await response.json()) as Payment;
      if (typeof payment.id === "string" && typeof payment.status === "string") return { kind: "payment", payment };
    } catch {
      // Cut off half-way, or somebody else's page.
    }
    return { kind: "again", after: null, problem: null };
  }

  /** Null: no answer. A token that was just refused is asked for once more: it may have run out on the way. */
  async #send(path: string, init: RequestInit, signal: AbortSignal): Promise<Response | null> {
    const { baseUrl, token, fetch } = this.#reach;
    for (let isFirst = true; ; isFirst = false) {
      const headers = new Headers(init.headers);
      if (token) {
        try {
          headers.set("authorization", `Bearer ${await token()}`);
        } catch {
          return null;
        }
      }
      try {
        const response = await fetch(baseUrl + path, { ...init, headers, signal, credentials: "omit" });
        if (response.status !== 401 || !token || !isFirst) return response;
      } catch {
        return null;
      }
    }
  }
}

/** Refuses with the caller's own error once it has given up. */
export function stopped(signal: AbortSignal): void {
  if (signal.aborted) throw new CheckoutError("aborted");
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  const json = { "content-type": "application/json", ...headers };
  // A reload must not take back what was sent.
  return { method: "POST", headers: json, body: JSON.stringify(body), keepalive: true };
}

async function refusal(response: Response): Promise<Exclude<Answer, { kind: "payment" }>> {
  const text = await response.text().catch(() => "");
  const problem = problemFrom(response.status, text);
  if (!mayRepeat(problem)) return { kind: "refused", problem };
  return { kind: "again", after: retryAfter(response.headers.get("retry-after"), Date.now()), problem };
}

/** Whether the same request may bring another answer later. */
export function mayRepeat(problem: Problem): boolean {
  const { status } = problem;
  return status >= 500 || status === 408 || status === 425 || status === 429 || wordOf(problem) === "idempotency-key-in-flight";
}

async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent[]> {
  const reader = new EventReader();
  for await (const piece of pieces(body, SILENCE)) {
    const found = reader.read(piece);
    if (found.length > 0) yield found;
  }
}

/** `AbortSignal.any`, which browsers have only since 2024. */
function any(...signals: AbortSignal[]): AbortSignal {
  const both = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) both.abort(signal.reason);
    else signal.addEventListener("abort", () => both.abort(signal.reason), { once: true, signal: both.signal });
  }
  return both.signal;
}
