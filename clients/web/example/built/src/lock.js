// One tab at a time asks for an order's payment: Web Locks, which a closed tab gives back by itself.
/** Runs `work` while no other tab of this origin does so under this name. Without Web Locks it just runs: the connector pays an order once in any case. */
export async function exclusively(name, signal, work) {
    const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
    if (!locks)
        return work();
    return locks.request(name, { signal }, work);
}
