/**
 * Milliseconds before the next try after `failures` of them in a row (1 and more): doubled each time, the second half of it at
 * random so that browsers which lost one server do not return together. Never earlier than the server's own wish.
 */
export declare function backoff(failures: number, random: number, wished: number | null): number;
/** Waits; ends early when the browser is online again, if `early`. Rejects when the signal does. */
export declare function pause(milliseconds: number, signal: AbortSignal, early: boolean): Promise<void>;
