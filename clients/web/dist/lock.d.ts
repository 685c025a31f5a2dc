/** Runs `work` while no other tab of this origin does so under this name. Without Web Locks it just runs: the connector pays an order once in any case. */
export declare function exclusively<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
