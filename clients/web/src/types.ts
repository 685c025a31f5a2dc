// What the connector's HTTP API says, under the names that a shop uses. Made from its OpenAPI document: see api.ts.

import type { components } from "./api.js";

type Schemas = components["schemas"];

export type Payment = Schemas["Payment"];
/** Where a payment is. From `authorized` on they are final: nothing more is charged. */
export type PaymentStatus = Schemas["Status"];
export type NextAction = Schemas["NextAction"];
export type Confirmation = Schemas["Confirmation"];
export type Decline = Schemas["Decline"];
export type DeclineClass = Schemas["DeclineClass"];
/** In minor units: 999 is 9.99 EUR, and 999 JPY. */
export type Money = Schemas["Money"];
/** The body of `POST /v1/payments`. */
export type NewPayment = Schemas["PaymentRequest"];
/** The connector's own problems. */
export type ProblemType = Schemas["Problem"]["type"];
/** An `application/problem+json` answer; `about:blank` when it is another server's on the way. */
export type Problem = Omit<Schemas["Problem"], "type"> & { type: ProblemType | "about:blank" };
