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

export interface FollowState {
  readonly mode: "stream" | "poll";
  /** Where the next stream goes on. */
  readonly lastEventId: string | null;
  /** In a row, since the last news. */
  readonly failures: number;
  /** Answers to polls since the last stream. */
  readonly polls: number;
}

export type Happening =
  /** An event of the stream. */
  | { type: "event"; id: string | null; settled: boolean }
  /** An answer to a poll. */
  | { type: "polled"; settled: boolean }
  /** The server closed the stream: it stops, or nothing more can come. */
  | { type: "ended" }
  /** The stream broke, went silent or was not given; or a poll had no answer. `after`: the server's wish in milliseconds. */
  | { type: "failed"; after: number | null };

/** `listen`: the open stream goes on. `after` is in milliseconds. */
export type Step = { do: "listen" } | { do: "stream"; after: number } | { do: "poll"; after: number } | { do: "stop" };

export const START: FollowState = { mode: "stream", lastEventId: null, failures: 0, polls: 0 };

/** `random` is from 0 to 1. */
export function next(state: FollowState, happening: Happening, random: number): [FollowState, Step] {
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

function polled(state: FollowState, settled: boolean): [FollowState, Step] {
  const polls = state.polls + 1;
  if (settled) return [{ ...state, failures: 0, polls }, { do: "stop" }];
  if (polls < POLLS_BEFORE_STREAM) {
    return [{ ...state, failures: 0, polls }, { do: "poll", after: Math.min(POLL_LONGEST, POLL_FIRST * 1.4 ** (polls - 1)) }];
  }
  // One break is enough to poll on.
  return [{ ...state, mode: "stream", failures: STREAM_TRIES, polls: 0 }, { do: "stream", after: 0 }];
}

function broken(state: FollowState, wished: number | null, random: number, least: number): [FollowState, Step] {
  const failures = state.failures + 1;
  if (failures > STREAM_TRIES) {
    return [{ ...state, mode: "poll", failures, polls: 0 }, { do: "poll", after: wished ?? 0 }];
  }
  const after = least > 0 && failures === 1 ? least : backoff(failures, random, wished);
  return [{ ...state, failures }, { do: "stream", after }];
}

function unanswered(state: FollowState, wished: number | null, random: number): [FollowState, Step] {
  const failures = state.failures + 1;
  return [{ ...state, failures }, { do: "poll", after: backoff(failures - STREAM_TRIES, random, wished) }];
}
