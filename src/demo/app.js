// The checkout of a shop, in small: makes an order, pays it, and follows the payment until it is settled and reported.
//
// The Idempotency-Key is remembered before the request leaves. So a reload, a lost answer or the way back from the bank goes
// on with the same payment and never makes a second one.

import * as view from "./view.js";
import { Refused, ask, json, send } from "./api.js";
import { CASES, caseOf, booksAgree, isSettled, proof } from "./words.js";

const ATTEMPTS = "demo.attempts";
const CURRENT = "demo.current";
const KEPT = 12;
const BOOKS_EVERY = 700;

const form = document.getElementById("checkout");
const state = { attempt: null, history: [], records: null, events: null, timer: null, looks: 0 };

const gateway = () => form.elements.gateway.value;
const chosen = () => form.elements.case?.value || CASES[0].id;

/* What is remembered over a reload. */

function attempts() {
  try {
    return JSON.parse(sessionStorage.getItem(ATTEMPTS)) ?? [];
  } catch {
    return [];
  }
}

function remember(attempt) {
  const others = attempts().filter((one) => one.key !== attempt.key);
  const all = [attempt, ...others].sort((a, b) => b.at - a.at).slice(0, KEPT);
  sessionStorage.setItem(ATTEMPTS, JSON.stringify(all));
  view.recent(all, state.attempt?.paymentId, show);
}

function forget(attempt) {
  sessionStorage.setItem(ATTEMPTS, JSON.stringify(attempts().filter((one) => one.key !== attempt.key)));
  sessionStorage.removeItem(CURRENT);
}

/* The request, as it can be sent by hand. */

function curlOf(attempt) {
  const body = attempt?.body ?? bodyFor("…", gateway(), chosen());
  const quoted = JSON.stringify(body, null, 2).replace('"…"', "…").replaceAll("'", "'\\''");
  return [
    `curl -i ${location.origin}/v1/payments \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -H 'Idempotency-Key: ${attempt?.key ?? "…"}' \\`,
    `  -d '${quoted}'`,
  ].join("\n");
}

function bodyFor(orderId, gateway, caseId) {
  return { orderId, gateway, paymentMethod: { token: caseOf(caseId)[gateway] }, returnUrl: `${location.origin}/` };
}

/* Paying. */

async function pay() {
  stop();
  view.problem(null);
  view.busy(true);
  const [wanted, caseId] = [gateway(), chosen()];
  try {
    const order = await ask("/demo/orders", json({ gateway: wanted, totalMinor: 999, currency: "EUR" }));
    const attempt = { key: crypto.randomUUID(), case: caseId, at: Date.now(), body: bodyFor(order.body.id, wanted, caseId) };
    begin(attempt);
    remember(attempt);
    if (matchMedia("(max-width: 900px)").matches) document.getElementById("payment").scrollIntoView({ block: "start" });
    await submit(attempt);
  } catch (refused) {
    failed(refused);
  } finally {
    view.busy(false);
  }
}

async function submit(attempt) {
  const { body } = await send(attempt, view.connection);
  attempt.paymentId = body.id;
  attempt.unanswered = false;
  attempt.status = body.status;
  remember(attempt);
  if (state.attempt === attempt) follow(attempt);
}

function failed(refused) {
  if (!(refused instanceof Refused)) throw refused;
  view.problem(refused.problem);
  const { attempt } = state;
  if (!attempt || attempt.paymentId) return;
  // Turned down for what it says: there is no such payment. Otherwise it may be one, and a reload sends it again.
  const isOver = refused.problem.status >= 400 && refused.problem.status < 500 && !refused.again;
  if (isOver) {
    forget(attempt);
    state.attempt = null;
  } else {
    attempt.unanswered = true;
  }
  draw();
}

function begin(attempt) {
  stop();
  Object.assign(state, { attempt, history: [], records: null, looks: 0 });
  sessionStorage.setItem(CURRENT, attempt.key);
  view.repeated("The key makes a repetition safe: the same request gets the same payment.");
  draw();
}

/* Following. */

function follow(attempt) {
  stop();
  state.history = [];
  state.looks = 0;
  const events = new EventSource(`/v1/payments/${attempt.paymentId}/events`);
  state.events = events;
  events.addEventListener("open", () => view.connection(null));
  events.addEventListener("payment", (event) => learn(attempt, JSON.parse(event.data)));
  events.addEventListener("error", () => {
    if (state.events !== events) return;
    view.connection("The connection was lost. Reconnecting…");
    // A refused stream is not tried again by the browser.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => state.events === events && resume(attempt), 1500);
  });
  look(attempt);
}

async function resume(attempt) {
  try {
    await ask(`/v1/payments/${attempt.paymentId}`);
    follow(attempt);
  } catch (refused) {
    if (refused.problem?.status !== 404) return void setTimeout(() => state.attempt === attempt && resume(attempt), 2000);
    stop();
    forget(attempt);
    view.problem({ ...refused.problem, detail: "This demo does not know the payment: it was restarted since, and forgot." });
  }
}

function learn(attempt, payment) {
  state.history.push(payment);
  if (attempt.status !== payment.status) {
    attempt.status = payment.status;
    remember(attempt);
  }
  if (isSettled(payment)) {
    state.events?.close();
    state.looks = 0;
  }
  draw();
}

function stop() {
  state.events?.close();
  clearTimeout(state.timer);
  Object.assign(state, { events: null, timer: null });
  view.connection(null);
}

// Reads both books again and again until the payment is settled, and then until they agree, or have had time to.
async function look(attempt) {
  const latest = state.history.at(-1);
  if (latest && !document.hidden) {
    try {
      const about = new URLSearchParams({ paymentId: attempt.paymentId, orderId: attempt.body.orderId });
      const { body } = await ask(`/demo/records?${about}`);
      if (state.attempt !== attempt) return;
      state.records = body;
      state.looks += 1;
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
    }
    draw();
  }
  if (state.attempt !== attempt || isFinished()) return;
  clearTimeout(state.timer);
  state.timer = setTimeout(() => look(attempt), latest ? BOOKS_EVERY : 60);
}

function isFinished() {
  const latest = state.history.at(-1);
  return latest && isSettled(latest) && state.records && (booksAgree(latest, state.records) ? state.looks >= 2 : state.looks >= 5);
}

function draw() {
  const { attempt, history, records } = state;
  const latest = history.at(-1);
  view.payment(history, attempt);
  view.action(latest?.status === "requires_action" ? latest.nextAction : null, leave);
  view.books(records, latest);
  const isSaid = latest && records && (booksAgree(latest, records) || isFinished());
  view.proof(isSaid ? proof(latest, records, attempt.case) : null);
  view.request(curlOf(attempt), Boolean(attempt?.paymentId));
  view.recent(attempts(), attempt?.paymentId, show);
}

/* To the bank and back. */

function leave(url) {
  const target = new URL(url, location.origin);
  if (!["https:", "http:"].includes(target.protocol)) return;
  state.attempt.away = true;
  remember(state.attempt);
  location.assign(target);
}

async function comeBack(attempt) {
  history.replaceState(null, "", "/");
  attempt.away = false;
  remember(attempt);
  try {
    await ask(`/v1/payments/${attempt.paymentId}/continue`, json({ details: {} }));
  } catch (refused) {
    // 409: the gateway's webhook was faster, and nothing is awaited any more.
    if (refused.problem?.status !== 409) failed(refused);
  }
  follow(attempt);
}

/* The rest of the page. */

function show(key) {
  const attempt = attempts().find((one) => one.key === key);
  if (!attempt) return;
  view.problem(null);
  begin(attempt);
  if (attempt.paymentId) follow(attempt);
  else submit(attempt).catch(failed);
  document.getElementById("payment").focus({ preventScroll: true });
}

async function again() {
  const { attempt } = state;
  try {
    const { body, replayed, status } = await send(attempt, view.connection);
    view.repeated(body.id === attempt.paymentId
      ? `${status}, the same payment${replayed ? ", marked Idempotent-Replayed" : ""}. Nothing was charged again: see the books.`
      : `Another payment was made: ${body.id}. That must not happen.`);
    state.looks = 0;
    clearTimeout(state.timer);
    look(attempt);
  } catch (refused) {
    failed(refused);
  }
}

async function copy(event) {
  const button = event.currentTarget;
  try {
    await navigator.clipboard.writeText(curlOf(state.attempt));
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(document.getElementById("curl"));
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  pay();
});
form.addEventListener("change", (event) => {
  if (event.target.name === "gateway") view.cases(gateway(), chosen());
  if (!state.attempt) draw();
});
document.getElementById("copy").addEventListener("click", copy);
document.getElementById("again").addEventListener("click", again);
addEventListener("pageshow", (event) => {
  if (event.persisted && state.attempt?.paymentId) follow(state.attempt);
});

view.cases(gateway(), CASES[0].id);
const current = attempts().find((one) => one.key === sessionStorage.getItem(CURRENT));
if (current) {
  form.elements.gateway.value = current.body.gateway;
  view.cases(current.body.gateway, current.case);
  begin(current);
  if (current.away && location.search) comeBack(current);
  else if (current.paymentId) follow(current);
  else submit(current).catch(failed);
} else {
  draw();
}
