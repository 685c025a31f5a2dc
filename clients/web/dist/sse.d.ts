export interface ServerEvent {
    /** Of the latest event that had one. */
    id: string | null;
    name: string;
    data: string;
}
/** Reads the stream's text piece by piece (HTML standard, 9.2.6). */
export declare class EventReader {
    #private;
    /** The events that this piece completes; comments are none. */
    read(piece: string): ServerEvent[];
}
/** Hands the body's pieces on as they come; fails when nothing came for `silence` milliseconds. */
export declare function pieces(body: ReadableStream<Uint8Array>, silence: number): AsyncGenerator<string>;
