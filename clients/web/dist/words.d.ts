import type { View } from "./run.js";
import type { Decline } from "./types.js";
export interface Words {
    title: string;
    text: string;
    tone: "busy" | "act" | "good" | "bad" | "wait";
}
/** What the payer is told of a payment. */
export declare function wordsFor(view: View): Words;
/** Lost, stolen and suspicious cards are told as any other: the wrong person may be reading. */
export declare function declined(decline: Decline | null): Words;
/** What the payer is told when `done` rejects. `refused` is mostly the page's fault: log its problem. */
export declare function wordsForError(error: unknown): Words;
