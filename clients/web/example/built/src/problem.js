// Answers that are not a payment: RFC 9457 problems, when to try again, and the error that a caller sees.
const PREFIX = "urn:cleeng-connector:problem:";
export class CheckoutError extends Error {
    name = "CheckoutError";
    reason;
    problem;
    constructor(reason, problem = null) {
        super(problem ? `${problem.title} (${wordOf(problem)})` : reason);
        this.reason = reason;
        this.problem = problem;
    }
}
/** The last word of a problem's type, such as `order-taken`; empty when it is not the connector's. */
export function wordOf(problem) {
    return problem.type.startsWith(PREFIX) ? problem.type.slice(PREFIX.length) : "";
}
/** The id at the end of a path such as `/v1/payments/ID`. */
export function paymentIdIn(path) {
    return /^\/v1\/payment(?:s|-details)\/([0-9a-f-]{36})$/.exec(path ?? "")?.[1] ?? null;
}
/** Reads a body that should be a problem; a proxy's error page becomes one with the status alone. */
export function problemFrom(status, text) {
    const plain = { type: "about:blank", title: "The service answered with an error", status, detail: `Status ${status}.` };
    let read;
    try {
        read = JSON.parse(text);
    }
    catch {
        return plain;
    }
    if (typeof read !== "object" || read === null || !("title" in read) || typeof read.title !== "string")
        return plain;
    const given = read;
    const problem = {
        type: given.type?.startsWith?.(PREFIX) ? given.type : plain.type,
        title: read.title,
        status,
        detail: typeof given.detail === "string" ? given.detail : plain.detail,
    };
    if (Array.isArray(given.errors))
        problem.errors = given.errors;
    if (typeof given.payment === "string")
        problem.payment = given.payment;
    return problem;
}
/** `Retry-After` (RFC 9110, 10.2.3) in milliseconds from `now`, which is in milliseconds since 1970; null without a usable one. */
export function retryAfter(header, now) {
    const text = header?.trim() ?? "";
    if (/^\d{1,9}$/.test(text))
        return Number(text) * 1000;
    if (!/^[A-Z][a-z]{2}, /.test(text))
        return null;
    const moment = Date.parse(text);
    return Number.isNaN(moment) ? null : Math.max(0, moment - now);
}
