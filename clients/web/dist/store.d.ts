/** The part of `Storage` that is used. */
export type StorageLike = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
export interface Entry {
    readonly version: 1;
    readonly orderId: string;
    /** Sent with every try of this attempt. */
    readonly key: string;
    /** Null while no answer has named it: the request may or may not have arrived. */
    readonly paymentId: string | null;
    /** The payer was sent to another page and is expected back. */
    readonly away: boolean;
    /** Milliseconds since 1970. */
    readonly at: number;
}
export declare class KeyStore {
    #private;
    constructor(storage: StorageLike | null);
    get(orderId: string): Entry | null;
    put(entry: Entry): void;
    /** Changes the entry of this key; another attempt's is left alone. */
    change(orderId: string, key: string, change: Partial<Pick<Entry, "paymentId" | "away">>): void;
    /** Removes the entry of this key; another attempt's is left alone. */
    remove(orderId: string, key: string): void;
    /** Removes what is too old, and what cannot be read. */
    prune(now: number): void;
}
/** The name under which an order's entry lies. */
export declare function nameOf(orderId: string): string;
