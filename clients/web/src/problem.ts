// Answers that are not a payment: RFC 9457 problems, when to try again, and the error that a caller sees.

import type { Problem, ProblemType } from "./types.js";

const PREFIX = "urn:cleeng-connector:problem:";

/** What a problem is, such as `order-taken`. */
export type ProblemWord = ProblemType extends `urn:cleeng-connector:problem:${infer Word}` ? Word : never;

/** Why a payment could not be made or followed. A decline is none of these: it is an outcome. */
export type Reason =
  /** The connector turned the request down; `problem` says why, `problem.errors` names fields. Nothing is charged by it. */
  | "refused"
  /** No answer for too long. What was sent may have arrived: pay again, and the same payment is found. */
  | "unreachable"
  /** The caller's `AbortSignal`, or `stop()`. The payment itself goes on. */
  | "aborted";

export class CheckoutError extends Error {
  override readonly name = "CheckoutError";
  readonly reason: Reason;
  readonly problem: Problem | null;

  constructor(reason: Reason, problem: Problem | null = null) {
    super(problem ? `${problem.title} (${wordOf(problem)})` : reason);
    this.reason = reason;
    this.problem = problem;
  }
}

/** The last word of a problem's type, such as `order-taken`; empty when it is not the connector's. */
export function wordOf(problem: Problem): ProblemWord | "" {
  return problem.type.startsWith(PREFIX) ? (problem.type.slice(PREFIX.length) as ProblemWord) : "";
}

/** The id at the end of a path such as `/v1/payments/ID`. */
export function paymentIdIn(path: string | undefined): string | null {
  return /^\/v1\/payment(?:s|-details)\/([0-9a-f-]{36})$/.exec(path ?? "")?.[1] ?? null;
}

/** Reads a body that should be a problem; a proxy's error page becomes one with the status alone. */
export function problemFrom(status: number, text: string): Problem {
  const plain: Problem = { type: "about:blank", title: "The service answered with an error", status, detail: `Status ${status}.` };
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return plain;
  }
  if (typeof read !== "object" || read === null || !("title" in read) || typeof read.title !== "string") return plain;
  const given = read as Partial<Problem>;
  const problem: Problem = {
    type: given.type?.startsWith?.(PREFIX) ? given.type : plain.type,
    title: read.title,
    status,
    detail: typeof given.detail === "string" ? given.detail : plain.detail,
  };
  if (Array.isArray(given.errors)) problem.errors = given.errors;
  if (typeof given.payment === "string") problem.payment = given.payment;
  return problem;
}

/** `Retry-After` (RFC 9110, 10.2.3) in milliseconds from `now`, which is in milliseconds since 1970; null without a usable one. */
export function retryAfter(header: string | null, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/^[A-Z][a-z]{2}, /.test(text)) return null;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? null : Math.max(0, moment - now);
}
