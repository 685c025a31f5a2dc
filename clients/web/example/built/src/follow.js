// How a payment is followed, as one pure decision: by event stream, again after a break, by polling where no stream holds.
import { backoff } from "./backoff.js";
/** So many breaks in a row, then the payment is polled. */
const STREAM_TRIES = 2;
/** After so many answers to polls the stream is tried again, once. */
const POLLS_BEFORE_STREAM = 12;
/** A stream that the server ended comes back after this, milliseconds. */
const AFTER_END = 200;
const POLL_FIRST = 700;
const POLL_LONGEST = 5_000;
export const START = { mode: "stream", lastEventId: null, failures: 0, polls: 0 };
/** `random` is from 0 to 1. */
export function next(state, happening, random) {
    switch (happening.type) {
        case "event": {
            const known = { ...state, lastEventId: happening.id ?? state.lastEventId, failures: 0, polls: 0 };
            return [known, happening.settled ? { do: "stop" } : { do: "listen" }];
        }
        case "polled":
            return polled(state, happening.settled);
        case "ended":
            return broken(state, null, random, AFTER_END);
        case "failed":
            return state.mode === "stream" ? broken(state, happening.after, random, 0) : unanswered(state, happening.after, random);
    }
}
function polled(state, settled) {
    const polls = state.polls + 1;
    if (settled)
        return [{ ...state, failures: 0, polls }, { do: "stop" }];
    if (polls < POLLS_BEFORE_STREAM) {
        return [{ ...state, failures: 0, polls }, { do: "poll", after: Math.min(POLL_LONGEST, POLL_FIRST * 1.4 ** (polls - 1)) }];
    }
    // One break is enough to poll on.
    return [{ ...state, mode: "stream", failures: STREAM_TRIES, polls: 0 }, { do: "stream", after: 0 }];
}
function broken(state, wished, random, least) {
    const failures = state.failures + 1;
    if (failures > STREAM_TRIES) {
        return [{ ...state, mode: "poll", failures, polls: 0 }, { do: "poll", after: wished ?? 0 }];
    }
    const after = least > 0 && failures === 1 ? least : backoff(failures, random, wished);
    return [{ ...state, failures }, { do: "stream", after }];
}
function unanswered(state, wished, random) {
    const failures = state.failures + 1;
    return [{ ...state, failures }, { do: "poll", after: backoff(failures - STREAM_TRIES, random, wished) }];
}
