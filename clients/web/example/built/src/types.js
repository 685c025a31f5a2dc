// What the connector's HTTP API says, under the names that a shop uses. Made from its OpenAPI document: see api.ts.
export {};
