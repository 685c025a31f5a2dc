// Draws what is known. It never asks for anything, and puts text into the page only as text.

import * as words from "./words.js";

const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Puts new content into a place only when it differs: what is unchanged keeps its focus, its selection and its calm.
const drawn = new Map();
function put(id, ...children) {
  const fresh = element("div", {}, ...children);
  const isSame = drawn.get(id)?.isEqualNode(fresh);
  if (isSame) return false;
  drawn.set(id, fresh.cloneNode(true));
  byId(id).replaceChildren(...fresh.childNodes);
  return true;
}

export function cases(gateway, chosen) {
  byId("cases").replaceChildren(
    ...words.CASES.map((one) => {
      const input = element("input", { type: "radio", name: "case", value: one.id });
      input.checked = one.id === chosen;
      return element("label", {}, input, element("span", { class: "case" },
        element("b", {}, one.title),
        element("span", { class: "quiet small" }, one.text),
        element("code", {}, one[gateway])));
    }),
  );
}

export function busy(on) {
  byId("pay").disabled = on;
  byId("pay").textContent = on ? "Paying…" : "Pay €9.99";
}

export function problem(what) {
  const box = byId("problem");
  box.hidden = !what;
  if (!what) return box.replaceChildren();
  const faults = (what.errors ?? []).map((one) => element("li", {}, element("code", {}, one.field), ` ${one.detail}`));
  box.replaceChildren(
    element("b", {}, what.title ?? "Something went wrong"),
    element("span", {}, what.detail ?? ""),
    faults.length ? element("ul", {}, ...faults) : "",
    what.type?.startsWith("urn:") ? element("code", { class: "small" }, `${what.status} ${what.type}`) : "",
  );
}

export function connection(text) {
  byId("connection").hidden = !text;
  byId("connection").textContent = text ?? "";
}

function clock(moment) {
  const at = new Date(moment);
  const time = at.toLocaleTimeString("en-GB");
  return `${time}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

function since(start, moment) {
  const passed = new Date(moment) - new Date(start);
  return passed < 1000 ? `+${passed} ms` : `+${(passed / 1000).toFixed(passed < 10000 ? 2 : 1)} s`;
}

// One line per change of status, and one per change of the report to Cleeng, from the payment's history.
function steps(history) {
  const found = [];
  let status = null;
  let confirmation = "none";
  for (const payment of history) {
    if (payment.status !== status) {
      const said = words.statusWords(payment.status);
      const text = payment.status === "rejected" && payment.decline ? words.declineWords(payment.decline) : said.text;
      found.push({ ...said, text, at: payment.updatedAt });
      status = payment.status;
    }
    if (payment.confirmation.status !== confirmation) {
      confirmation = payment.confirmation.status;
      found.push({ ...words.confirmationWords(payment.confirmation), at: payment.updatedAt });
    }
  }
  return found;
}

function line(step, start, isLast, isOver) {
  const now = isLast && !isOver;
  return element("li", { class: `${step.tone}${now ? " now" : ""}`, "aria-current": now ? "step" : null },
    element("div", { class: "what" }, element("b", {}, step.title), step.text ? element("span", { class: "quiet small" }, step.text) : null),
    element("div", { class: "when small" },
      element("time", { datetime: step.at }, clock(step.at)),
      element("span", { class: "quiet" }, since(start, step.at))));
}

function fact(name, ...value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
}

export function payment(history, attempt) {
  const latest = history.at(-1);
  const pill = byId("status");
  if (!latest) {
    const said = attempt?.unanswered ? { title: "Not answered", tone: "wait" } : attempt ? { title: "Sending", tone: "busy" } : { title: "Not started", tone: "" };
    pill.className = `pill ${said.tone}`;
    pill.textContent = said.title;
    byId("facts").hidden = true;
    byId("amount").textContent = "€9.99";
    put("timeline", ...ahead());
    return;
  }
  const said = words.statusWords(latest.status);
  pill.className = `pill ${said.tone}`;
  pill.textContent = said.title;
  byId("amount").textContent = latest.amount ? words.money(latest.amount) : "€9.99";
  byId("facts").hidden = false;
  put("facts",
    fact("Payment", element("code", {}, latest.id)),
    fact("Cleeng order", element("code", {}, String(latest.orderId))),
    fact("Gateway", words.gatewayName(latest.gateway)),
    latest.decline ? fact("Decline", element("code", {}, latest.decline.code), ` (${latest.decline.class.replaceAll("_", " ")})`) : "",
  );
  const found = steps(history);
  const isOver = words.isSettled(latest);
  const before = byId("timeline").querySelectorAll("li:not(.ahead)").length;
  if (put("timeline", ...found.map((step, place) => line(step, latest.createdAt, place === found.length - 1, isOver)))) {
    [...byId("timeline").children].slice(before).forEach((step) => step.classList.add("new"));
  }
}

// What will come, before anything has.
function ahead() {
  const coming = [
    ["Accepted", "Written down and queued before the browser gets its answer."],
    ["Charged at the gateway", "With the intent on record before the first byte leaves."],
    ["Reported to Cleeng", "Once, whatever happens on the way."],
  ];
  return coming.map(([title, text]) => element("li", { class: "ahead" },
    element("div", { class: "what" }, element("b", {}, title), element("span", { class: "quiet small" }, text))));
}

export function action(next, leave) {
  const box = byId("action");
  box.hidden = !next;
  if (!next) return void put("action");
  if (next.type === "redirect") {
    return void put("action",
      element("div", {}, element("b", {}, "Your bank wants to be sure it is you"),
        element("span", { class: "quiet small" }, "A shop would send the payer there at once. You come back here afterwards.")),
      element("button", { type: "button", class: "primary", "data-url": next.url, onclick: () => leave(next.url) }, "Open the bank’s page"),
    );
  }
  put("action",
    element("div", {}, element("b", {}, "The gateway’s own script goes on from here"),
      element("span", { class: "quiet small" }, "In a shop this is handed to the gateway’s script in the browser; this page has none."),
      element("code", {}, next.type)),
  );
}

function figure(count, text, tone) {
  return element("p", { class: `figure ${tone}` }, element("strong", {}, `${count}×`), ` ${text}`);
}

function record(state, ...facts) {
  return element("div", { class: "record" }, element("span", { class: "pill plain" }, state.replaceAll("_", " ")), element("dl", { class: "facts" }, ...facts));
}

export function books(records, latest) {
  const charges = records?.gateway.charges ?? [];
  const told = records?.cleeng.payments ?? [];
  const moved = records?.gateway.moneyMoved ?? 0;
  const isRight = latest && records ? words.booksAgree(latest, records) : false;
  const tone = (count) => (count > 1 ? "bad" : isRight ? "good" : "");
  byId("gateway-title").textContent = latest ? `At the gateway: ${words.gatewayName(latest.gateway)}` : "At the gateway";
  put("at-gateway",
    figure(moved, "money moved", tone(moved)),
    ...charges.map((one) => record(one.status, fact("Id", element("code", {}, one.id)), fact("Amount", words.money(one.amount)), fact("Charged", words.times(one.moneyMoved).replace("0 times", "not")))),
    charges.length ? "" : element("p", { class: "quiet small" }, latest ? "No charge on record yet." : "What the gateway did shows here."),
  );
  const ids = charges.map((one) => one.id);
  put("at-cleeng",
    figure(told.length, "on record", tone(told.length)),
    ...told.map((one) => record(one.status,
      fact("Payment", element("code", {}, String(one.id))),
      fact("Amount", words.money(one.amount)),
      fact("Gateway’s id", element("code", {}, one.externalPaymentId), ids.includes(one.externalPaymentId) ? element("span", { class: "same" }, "matches") : null),
      one.rejectedReason ? fact("Reason", one.rejectedReason) : "")),
    told.length ? "" : element("p", { class: "quiet small" }, latest ? "Nothing on record yet." : "What Cleeng was told shows here."),
  );
}

export function proof(found) {
  const box = byId("proof");
  box.hidden = !found;
  box.className = `proof ${found?.tone ?? ""}`;
  if (box.textContent !== (found?.text ?? "")) box.textContent = found?.text ?? "";
}

export function request(curl, canRepeat) {
  put("curl", curl);
  byId("again").disabled = !canRepeat;
  byId("copy").disabled = !canRepeat;
}

export function repeated(text) {
  byId("again-answer").textContent = text;
}

export function recent(attempts, current, show) {
  byId("recent").hidden = attempts.length === 0;
  put("recent-list",
    ...attempts.map((one) => {
      const said = one.status ? words.statusWords(one.status) : { title: "Sending", tone: "busy" };
      const isShown = one.paymentId === current;
      return element("li", {}, element("button", { type: "button", "aria-current": isShown ? "true" : null, onclick: () => show(one.key) },
        element("span", { class: "small quiet" }, new Date(one.at).toLocaleTimeString("en-GB")),
        element("span", {}, words.caseOf(one.case).title),
        element("span", { class: "small quiet" }, words.gatewayName(one.body.gateway)),
        element("span", { class: `pill ${said.tone}` }, said.title)));
    }),
  );
}
