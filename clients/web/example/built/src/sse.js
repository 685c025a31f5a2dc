// Server-sent events out of a fetched body: EventSource cannot send an Authorization header.
/** Reads the stream's text piece by piece (HTML standard, 9.2.6). */
export class EventReader {
    #rest = "";
    #id = null;
    #name = "";
    #data = [];
    /** The events that this piece completes; comments are none. */
    read(piece) {
        const events = [];
        let text = this.#rest + piece;
        // A return at the end may be the first half of a line's end.
        const half = text.endsWith("\r") ? "\r" : "";
        if (half)
            text = text.slice(0, -1);
        const lines = text.split(/\r\n|\n|\r/);
        this.#rest = (lines.pop() ?? "") + half;
        for (const line of lines) {
            if (line !== "")
                this.#field(line);
            else
                this.#end(events);
        }
        return events;
    }
    #field(line) {
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "event")
            this.#name = value;
        else if (name === "data")
            this.#data.push(value);
        else if (name === "id" && !value.includes("\0"))
            this.#id = value;
    }
    #end(events) {
        if (this.#data.length > 0)
            events.push({ id: this.#id, name: this.#name || "message", data: this.#data.join("\n") });
        this.#name = "";
        this.#data = [];
    }
}
/** Hands the body's pieces on as they come; fails when nothing came for `silence` milliseconds. */
export async function* pieces(body, silence) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let timer;
    try {
        for (;;) {
            const stalled = new Promise((_, reject) => {
                timer = setTimeout(() => reject(new Error("the stream went silent")), silence);
            });
            const { done, value } = await Promise.race([reader.read(), stalled]);
            clearTimeout(timer);
            if (done)
                return;
            yield decoder.decode(value, { stream: true });
        }
    }
    finally {
        clearTimeout(timer);
        reader.cancel().catch(() => undefined);
    }
}
