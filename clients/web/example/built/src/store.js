// What has to outlive a reload: for each order its idempotency key and the payment's id. Never a token, never card data.
const PREFIX = "cleeng-connector.payment.";
/** An order is payable for hours; what is older than this is of no use. Milliseconds. */
const KEPT = 48 * 3600 * 1000;
export class KeyStore {
    #storage;
    /** What a storage that is full or forbidden did not take. */
    #memory = new Map();
    constructor(storage) {
        this.#storage = storage;
    }
    get(orderId) {
        const name = nameOf(orderId);
        const entry = parse(this.#memory.get(name) ?? this.#read(name));
        return entry?.orderId === orderId ? entry : null;
    }
    put(entry) {
        const name = nameOf(entry.orderId);
        const text = JSON.stringify(entry);
        try {
            if (!this.#storage)
                throw new Error("no storage");
            this.#storage.setItem(name, text);
            this.#memory.delete(name);
        }
        catch {
            this.#memory.set(name, text);
        }
    }
    /** Changes the entry of this key; another attempt's is left alone. */
    change(orderId, key, change) {
        const entry = this.get(orderId);
        if (entry?.key === key)
            this.put({ ...entry, ...change });
    }
    /** Removes the entry of this key; another attempt's is left alone. */
    remove(orderId, key) {
        if (this.get(orderId)?.key !== key)
            return;
        this.#drop(nameOf(orderId));
    }
    /** Removes what is too old, and what cannot be read. */
    prune(now) {
        const old = (text) => (parse(text)?.at ?? 0) < now - KEPT;
        for (const name of this.#names()) {
            if (old(this.#read(name)))
                this.#drop(name);
        }
    }
    #names() {
        try {
            const storage = this.#storage;
            const names = Array.from({ length: storage?.length ?? 0 }, (_, place) => storage?.key(place) ?? "");
            return names.filter((name) => name.startsWith(PREFIX));
        }
        catch {
            return [];
        }
    }
    #read(name) {
        try {
            return this.#storage?.getItem(name) ?? null;
        }
        catch {
            return null;
        }
    }
    #drop(name) {
        this.#memory.delete(name);
        try {
            this.#storage?.removeItem(name);
        }
        catch {
            // It could not be written either.
        }
    }
}
/** The name under which an order's entry lies. */
export function nameOf(orderId) {
    return PREFIX + orderId;
}
function parse(text) {
    if (!text)
        return null;
    try {
        const read = JSON.parse(text);
        const fits = read?.version === 1 && typeof read.key === "string" && read.key !== "" && typeof read.orderId === "string";
        if (!fits)
            return null;
        const { orderId, key } = read;
        const paymentId = typeof read.paymentId === "string" ? read.paymentId : null;
        return { version: 1, orderId, key, paymentId, away: read.away === true, at: typeof read.at === "number" ? read.at : 0 };
    }
    catch {
        return null;
    }
}
