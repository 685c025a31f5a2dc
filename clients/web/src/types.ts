// What the connector's HTTP API says, in the names that a shop uses.

/** Where a payment is. The last nine are final: nothing more is charged. */
export type PaymentStatus =
  | "accepted"
  | "processing"
  | "requires_action"
  | "pending"
  | "in_doubt"
  | "authorized"
  | "captured"
  | "partially_refunded"
  | "refunded"
  | "charged_back"
  | "rejected"
  | "cancelled"
  | "expired"
  | "failed";

export type DeclineClass = "soft" | "technical" | "needs_customer" | "hard" | "fraud" | "invalid_order";

export interface Decline {
  class: DeclineClass;
  code: string;
}

export interface Money {
  /** Minor units: 999 is 9.99 EUR, and 999 JPY. */
  value: number;
  currency: string;
}

export type NextAction =
  | { type: "redirect"; url: string }
  | { type: "stripe_sdk"; clientSecret: string; publishableKey: string }
  | { type: "gateway"; payload: unknown };

export interface Confirmation {
  status: "none" | "queued" | "delivered" | "dead_lettered";
  cleengPaymentId: number | null;
  cleengPaymentDetailsId?: number;
}

export interface Payment {
  id: string;
  orderId: number | null;
  gateway: string;
  operation: string;
  status: PaymentStatus;
  amount: Money | null;
  nextAction: NextAction | null;
  decline: Decline | null;
  externalPaymentId: string | null;
  confirmation: Confirmation;
  createdAt: string;
  updatedAt: string;
  expiresAt: string;
}

/** The body of `POST /v1/payments`. */
export interface NewPayment {
  orderId: number | string;
  gateway: string;
  paymentMethod: { token: string };
  returnUrl?: string;
  savePaymentMethod?: boolean;
}
