// What the connector's HTTP API says, in the names that a shop uses.
export {};
