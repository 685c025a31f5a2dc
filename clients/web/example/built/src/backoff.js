// How long to wait before the next try, and waiting itself.
const FIRST = 500;
const LONGEST = 10_000;
/**
 * Milliseconds before the next try after `failures` of them in a row (1 and more): doubled each time, the second half of it at
 * random so that browsers which lost one server do not return together. Never earlier than the server's own wish.
 */
export function backoff(failures, random, wished) {
    const whole = Math.min(LONGEST, FIRST * 2 ** Math.max(0, failures - 1));
    return Math.max(wished ?? 0, Math.round(whole * (0.5 + random / 2)));
}
/** Waits; ends early when the browser is online again, if `early`. Rejects when the signal does. */
export function pause(milliseconds, signal, early) {
    return new Promise((resolve, reject) => {
        if (signal.aborted)
            return reject(signal.reason);
        const page = typeof window === "undefined" ? null : window;
        const over = (finish) => () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", abort);
            page?.removeEventListener("online", done);
            finish();
        };
        const done = over(resolve);
        const abort = over(() => reject(signal.reason));
        const timer = setTimeout(done, milliseconds);
        signal.addEventListener("abort", abort);
        if (early)
            page?.addEventListener("online", done);
    });
}
