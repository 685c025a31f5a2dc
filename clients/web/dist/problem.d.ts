/** An `application/problem+json` answer. */
export interface Problem {
    type: string;
    title: string;
    status: number;
    detail: string;
    /** Every wrong field, of `invalid-fields` and `card-data`. */
    errors?: {
        field: string;
        detail: string;
    }[];
    /** Path of the payment that holds the order, of `order-taken`. */
    payment?: string;
}
/** Why a payment could not be made or followed. A decline is none of these: it is an outcome. */
export type Reason = 
/** The connector turned the request down; `problem` says why, `problem.errors` names fields. Nothing is charged by it. */
"refused"
/** No answer for too long. What was sent may have arrived: pay again, and the same payment is found. */
 | "unreachable"
/** The caller's `AbortSignal`, or `stop()`. The payment itself goes on. */
 | "aborted";
export declare class CheckoutError extends Error {
    readonly name = "CheckoutError";
    readonly reason: Reason;
    readonly problem: Problem | null;
    constructor(reason: Reason, problem?: Problem | null);
}
/** The last word of a problem's type, such as `order-taken`; empty when it is not the connector's. */
export declare function wordOf(problem: Problem): string;
/** The id at the end of a path such as `/v1/payments/ID`. */
export declare function paymentIdIn(path: string | undefined): string | null;
/** Reads a body that should be a problem; a proxy's error page becomes one with the status alone. */
export declare function problemFrom(status: number, text: string): Problem;
/** `Retry-After` (RFC 9110, 10.2.3) in milliseconds from `now`, which is in milliseconds since 1970; null without a usable one. */
export declare function retryAfter(header: string | null, now: number): number | null;
