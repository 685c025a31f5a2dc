// A shop's checkout: the card's form is Stripe's, the payment is the client's, and what the payer reads is here.

import { createCheckout, freesOrder, wordsFor, wordsForError, type PaymentRun, type View, type Words } from "../src/index.js";
import { appearance, money, onDark } from "./look.js";
import * as page from "./page.js";
import type { Elements, StripeScript } from "./stripe.js";

interface Order {
  id: number;
  total: { value: number; currency: string };
}

const query = new URLSearchParams(location.search);
const orderId = encodeURIComponent(query.get("order") ?? "");
/** With `bank=page` the payer confirms on a page of the bank's, else in a window of Stripe's script. */
const isBankOnItsPage = query.get("bank") === "page";
const key = document.querySelector<HTMLMetaElement>('meta[name="stripe-publishable-key"]')?.content ?? "";

/** This page without what a bank's page has added to its address. */
const ownUrl = `${location.origin}${location.pathname}?order=${orderId}${isBankOnItsPage ? "&bank=page" : ""}`;

async function begin(): Promise<void> {
  history.replaceState(null, "", ownUrl);
  page.testMode(key.startsWith("pk_test_"));
  const order = await find(orderId);
  if (!order) return page.alert({ tone: "bad", title: "We do not know this order", text: "Please go back to the shop and order again." });
  page.order(order.id, money(order.total));
  if (!window.Stripe) return page.alert({ tone: "bad", title: "The card form could not be loaded", text: "Check your connection, allow js.stripe.com, and reload this page." });
  const stripe = window.Stripe(key);
  const elements = stripe.elements({
    mode: "payment",
    amount: order.total.value,
    currency: order.total.currency.toLowerCase(),
    paymentMethodCreation: "manual",
    appearance: appearance(),
  });
  onDark(() => elements.update({ appearance: appearance() }));
  sell(order, stripe, elements);
}

async function find(id: string): Promise<Order | null> {
  if (!/^\d+$/.test(id)) return null;
  const response = await fetch(`order?id=${id}`).catch(() => null);
  return response?.ok ? ((await response.json()) as Order) : null;
}

function sell(order: Order, stripe: StripeScript, elements: Elements): void {
  const element = elements.create("payment");
  element.on("ready", () => page.ready());
  element.mount("#card");

  const checkout = createCheckout({
    baseUrl: "",
    actions: {
      async stripe_sdk({ clientSecret }) {
        const { error } = await stripe.handleNextAction({ clientSecret });
        // Closed without an answer: the payment still waits for one.
        return error?.payment_intent?.status !== "requires_action";
      },
    },
  });
  let shown: PaymentRun | null = null;
  let isBusy = false;

  const follow = (run: PaymentRun): void => {
    if (run === shown) return;
    shown = run;
    page.onAct(() => void run.act());
    run.subscribe((view) => {
      if (run === shown) draw(view, order);
    });
    run.done.then(
      (payment) => freesOrder(payment) && element.focus(),
      (error: unknown) => {
        if (run !== shown) return;
        shown = null;
        page.form(wordsForError(error));
      },
    );
  };

  const pay = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    page.busy(true);
    try {
      const checked = await elements.submit();
      if (checked.error) return;
      const made = await stripe.createPaymentMethod({ elements });
      if (made.error || !made.paymentMethod) {
        return page.form({ title: "Your card was not accepted", text: made.error?.message ?? "Please check it and try again.", tone: "bad" });
      }
      const request = { orderId: order.id, gateway: "stripe", paymentMethod: { token: made.paymentMethod.id }, savePaymentMethod: page.keepsCard() };
      follow(checkout.pay(isBankOnItsPage ? { ...request, returnUrl: ownUrl } : request));
    } catch (error) {
      page.form(wordsForError(error));
      throw error;
    } finally {
      isBusy = false;
      page.busy(false);
    }
  };
  page.onSubmit(() => void pay());

  // A reload in the middle, the way back from the bank, or a second tab: the same payment goes on.
  const takeUp = (): void => {
    const run = isBusy ? null : checkout.resume(order.id);
    if (run) follow(run);
  };
  checkout.onElsewhere(order.id, takeUp);
  if (checkout.remembers(order.id) === "unanswered") {
    page.alert({ tone: "wait", title: "Your last try was interrupted", text: "Please fill in your card again. If that try had reached us we continue with it, and you are charged once." });
  }
  takeUp();
}

function draw(view: View, order: Order): void {
  const words: Words = wordsFor(view);
  if (view.payment && freesOrder(view.payment)) return page.form(words);
  const { payment, outcome } = view;
  const receipt = outcome === "paid" && payment ? { Paid: money(payment.amount ?? order.total), Order: String(order.id), Reference: payment.externalPaymentId ?? payment.id } : null;
  page.status(words, { canAct: view.phase === "payer" && view.action === "open", receipt });
}

void begin();
