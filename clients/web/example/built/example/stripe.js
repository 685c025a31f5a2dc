// The part of Stripe.js that the checkout calls. In a shop of your own take the types of `@stripe/stripe-js` instead.
export {};
