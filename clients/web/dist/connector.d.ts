import { type Problem } from "./problem.js";
import { type ServerEvent } from "./sse.js";
import type { NewPayment, Payment } from "./types.js";
export type Answer = {
    kind: "payment";
    payment: Payment;
}
/** No answer, or none that counts: the same request may be sent again, not before `after` milliseconds. */
 | {
    kind: "again";
    after: number | null;
    problem: Problem | null;
} | {
    kind: "refused";
    problem: Problem;
};
export type Stream = {
    kind: "open";
    events: AsyncIterable<ServerEvent[]>;
} | Exclude<Answer, {
    kind: "payment";
}>;
export interface Reach {
    /** Without a slash at the end; empty for the page's own origin. */
    baseUrl: string;
    token: (() => string | Promise<string>) | null;
    fetch: typeof fetch;
}
export declare class Connector {
    #private;
    constructor(reach: Reach);
    /** Asks for a payment. The same key makes a repetition safe. */
    submit(key: string, body: NewPayment, signal: AbortSignal): Promise<Answer>;
    read(id: string, signal: AbortSignal): Promise<Answer>;
    /** Says that the payer has done what was asked. */
    proceed(id: string, signal: AbortSignal): Promise<Answer>;
    /** The payment's events after `lastEventId`. Reading them fails when the stream breaks or goes silent. */
    stream(id: string, lastEventId: string | null, signal: AbortSignal): Promise<Stream>;
}
/** Refuses with the caller's own error once it has given up. */
export declare function stopped(signal: AbortSignal): void;
/** Whether the same request may bring another answer later. */
export declare function mayRepeat(problem: Problem): boolean;
