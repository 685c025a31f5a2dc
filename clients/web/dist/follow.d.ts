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
{
    type: "event";
    id: string | null;
    settled: boolean;
}
/** An answer to a poll. */
 | {
    type: "polled";
    settled: boolean;
}
/** The server closed the stream: it stops, or nothing more can come. */
 | {
    type: "ended";
}
/** The stream broke, went silent or was not given; or a poll had no answer. `after`: the server's wish in milliseconds. */
 | {
    type: "failed";
    after: number | null;
};
/** `listen`: the open stream goes on. `after` is in milliseconds. */
export type Step = {
    do: "listen";
} | {
    do: "stream";
    after: number;
} | {
    do: "poll";
    after: number;
} | {
    do: "stop";
};
export declare const START: FollowState;
/** `random` is from 0 to 1. */
export declare function next(state: FollowState, happening: Happening, random: number): [FollowState, Step];
