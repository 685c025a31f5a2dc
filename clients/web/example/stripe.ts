// The part of Stripe.js that the checkout calls. In a shop of your own take the types of `@stripe/stripe-js` instead.

export interface StripeError {
  type: string;
  code?: string;
  message?: string;
  payment_intent?: { status: string };
}

export interface PaymentElement {
  mount(target: string): void;
  on(event: "ready", listener: () => void): void;
  focus(): void;
}

export interface Elements {
  create(type: "payment", options?: object): PaymentElement;
  update(options: object): void;
  submit(): Promise<{ error?: StripeError }>;
}

export interface StripeScript {
  elements(options: object): Elements;
  createPaymentMethod(options: { elements: Elements }): Promise<{ paymentMethod?: { id: string }; error?: StripeError }>;
  handleNextAction(options: { clientSecret: string }): Promise<{ paymentIntent?: { status: string }; error?: StripeError }>;
}

declare global {
  interface Window {
    Stripe?: (publishableKey: string) => StripeScript;
  }
}
