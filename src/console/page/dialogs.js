// Dialogs: each says what exactly will happen, then asks who and why, then does it and says what came of it.

import * as api from "./api.js";
import { button, code, el, icon, problem, put, toast } from "./dom.js";
import * as words from "./words.js";

const MOST = 200;

// A dialog of the browser's own: it keeps the focus inside, and Escape closes it.
function open(title, ...content) {
  const before = document.activeElement;
  const body = el("div", { class: "dialog-body" }, ...content);
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" },
    el("div", { class: "dialog-head" }, el("h2", { id: "dialog-title" }, title), el("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => dialog.close() }, icon("cross"))),
    body);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, body };
}

function field(label, input, note) {
  const id = `field-${input.name}`;
  input.id = id;
  if (note) input.setAttribute("aria-describedby", `${id}-note`);
  return el("div", { class: "field" }, el("label", { for: id }, label), input, note ? el("p", { class: "quiet small", id: `${id}-note` }, note) : null);
}

// Who and why, and the button that does it. `act` gets both, and returns what to say when it is done.
function signed(dialog, verb, tone, act, ...before) {
  const by = el("input", { name: "by", required: true, maxlength: 100, autocomplete: "name", value: api.session.name() });
  const reason = el("textarea", { name: "reason", required: true, maxlength: 500, rows: 2 });
  const trouble = el("div", {});
  const go = el("button", { type: "submit", class: tone }, verb);
  return el("form", { onsubmit: async (event) => {
    event.preventDefault();
    go.disabled = true;
    put(trouble);
    try {
      api.session.keepName(by.value.trim());
      const said = await act({ by: by.value, reason: reason.value });
      dialog.close();
      toast(said);
    } catch (refused) {
      if (!(refused instanceof api.Refused)) throw refused;
      put(trouble, problem(refused.problem));
      go.disabled = false;
    }
  } },
    ...before,
    field("Who you are", by),
    field("Why", reason, "Both are kept in the operator log."),
    trouble,
    el("div", { class: "actions end" }, button("Cancel", () => dialog.close()), go));
}

export function changePause(side, title, isPaused, page) {
  const text = isPaused
    ? `The queue of ${title} is taken up again, in every process within five seconds. What waited is worked off.`
    : side.gateway
      ? `No command for ${title} is begun any more, in every process within five seconds. What is in hand is finished. Payments are still taken in and wait; a checkout that waits longer than its deadline expires without being charged.`
      : "Cleeng is told nothing any more, in every process within five seconds. What is in hand is finished. Payments are charged as before, and the news wait.";
  const { dialog, body } = open(isPaused ? `Resume ${title}?` : `Pause ${title}?`, el("p", {}, text));
  body.append(signed(dialog, isPaused ? "Resume" : "Pause", "primary", async (who) => {
    await (isPaused ? api.resume(side, who) : api.pause(side, who));
    page.touched();
    return isPaused ? `${title} goes on.` : `${title} is paused.`;
  }));
}

const FORECASTS = {
  charge: "charges at the gateway: nothing was done there yet",
  look_up: "reads the payment at its gateway, and goes on from what it says",
  replay_under_same_key: "sends the open request again, under its own key",
  cancel: "ends the payment at its gateway: its time is over",
  expire: "lets the payment expire: nothing was charged",
  wait: "waits for the payer or the gateway",
  look_again: "looks anew at what was asked for, and does what is still to do",
  deliver: "tells Cleeng",
  read_back: "reads what Cleeng has, and tells only what is missing",
  await_earlier: "waits for an earlier piece of news of the payment",
  nothing: "does nothing: all is done already",
  only_forced: "is not made by itself: Cleeng may have it already and cannot be asked, or has later news. Sending it may double the record at Cleeng",
  stuck: "would come back: the payment stays in doubt. Resolve it instead",
  comes_back: "would only come back",
  no_source: "is not possible: it does not say from which queue it came",
};

// First what would come of it, then who and why, then it is done.
export async function replayLetters(ids, done) {
  const chosen = ids.slice(0, MOST);
  const { dialog, body } = open(`Replay ${words.count(chosen.length, "message", "messages")}?`, el("p", { class: "quiet" }, "Looking at what would come of it. Nothing is done yet…"));
  try {
    const { messages } = await api.foretell(chosen, false);
    put(body, ...forecast(dialog, messages, ids.length, done));
    body.querySelector("input, textarea, button")?.focus();
  } catch (refused) {
    if (!(refused instanceof api.Refused)) throw refused;
    put(body, problem(refused.problem));
  }
}

const without = ["no_source", "stuck", "comes_back", "only_forced", undefined];

function forecast(dialog, messages, all, done) {
  const kinds = Map.groupBy ? Map.groupBy(messages, (one) => one.forecast) : grouped(messages);
  const chosen = new Set(messages.filter((one) => !without.includes(one.forecast)).map((one) => one.messageId));
  const forced = messages.filter((one) => one.forecast === "only_forced").map((one) => one.messageId);
  const futile = messages.filter((one) => one.futile).map((one) => one.messageId);
  const list = el("ul", { class: "forecast", "aria-label": "What a replay would do" }, ...[...kinds].map(([kind, those]) => el("li", { "data-forecast": kind ?? "gone" },
    icon(without.includes(kind) ? "pause" : "arrow"),
    el("p", {}, el("strong", {}, words.count(those.length, "message", "messages")), ": a replay ", kind ? FORECASTS[kind] ?? those[0].explanation : "is not possible: it is not there any more",
      kind === "comes_back" ? ` (${those[0].explanation.replace(/^comes back \(|\)$/g, "")})` : "", "."))));
  const note = all > MOST ? el("p", { class: "quiet small" }, `The first ${MOST} of ${all}; do the rest after these.`) : null;
  const force = { on: false };
  const verb = () => `Replay ${words.count(chosen.size, "message", "messages")}`;
  const form = signed(dialog, verb(), "primary", async (who) => {
    const { replayed, failed, skipped } = await api.replay([...chosen], force.on, who);
    await done();
    return [`${words.number(replayed)} replayed`, failed ? `${words.number(failed)} failed and still there` : null, skipped ? `${words.number(skipped)} skipped` : null].filter(Boolean).join(", ") + ".";
  }, forced.length ? choice("Send these all the same; I have looked, and Cleeng does not have it", "force", forced) : null,
  futile.length ? choice("Send back also what would only come again", "futile", futile) : null);
  const go = form.querySelector("[type=submit]");
  const changed = () => {
    put(go, verb());
    go.disabled = chosen.size === 0;
  };
  function choice(text, name, those) {
    const box = el("input", { type: "checkbox", name, onchange: () => {
      if (name === "force") force.on = box.checked;
      those.forEach((id) => (box.checked ? chosen.add(id) : chosen.delete(id)));
      changed();
    } });
    return el("label", { class: "check" }, box, el("span", {}, text));
  }
  changed();
  return [list, note, form];
}

function grouped(messages) {
  const kinds = new Map();
  for (const one of messages) kinds.set(one.forecast, [...(kinds.get(one.forecast) ?? []), one]);
  return kinds;
}

export function discardLetters(ids, done) {
  const chosen = ids.slice(0, MOST);
  const what = words.count(chosen.length, "message", "messages");
  const { dialog, body } = open(`Discard ${what}?`,
    el("p", {}, `${what} ${chosen.length === 1 ? "is" : "are"} removed for good. Nothing is sent to a gateway or to Cleeng, and no payment changes. Why you do it is kept in the payment’s history too.`),
    ids.length > MOST ? el("p", { class: "quiet small" }, `The first ${MOST} of ${ids.length}; do the rest after these.`) : null);
  body.append(signed(dialog, `Discard ${what}`, "danger", async (who) => {
    const { discarded, failed, skipped } = await api.discard(chosen, who);
    await done();
    return [`${words.number(discarded)} discarded`, failed ? `${words.number(failed)} failed and still there` : null, skipped ? `${words.number(skipped)} not there any more` : null].filter(Boolean).join(", ") + ".";
  }));
}

export async function showLetter(id) {
  const { body } = open("Dead letter", el("p", { class: "quiet" }, "Looking…"));
  try {
    const letter = await api.letter(id);
    const row = (name, value) => (value === null || value === undefined ? null : el("div", {}, el("dt", {}, name), el("dd", {}, value)));
    put(body, el("dl", { class: "facts" },
      row("Message", code(letter.messageId)),
      row("Reason", words.reason(letter.reason).title),
      row("From", code(letter.source)),
      row("Failures", String(letter.failures)),
      row("First failed", letter.firstFailedAt ? `${words.utc(letter.firstFailedAt)} UTC` : null),
      row("First error", letter.firstError),
      row("Last error", letter.lastError),
      row("Here since", letter.parkedAt ? `${words.utc(letter.parkedAt)} UTC` : null),
      row("Trace", letter.traceparent ? code(letter.traceparent) : null)),
    letter.message
      ? el("pre", { tabindex: 0, "aria-label": "The message" }, code(JSON.stringify(letter.message, null, 2)))
      : el("p", {}, `It cannot be read: ${words.count(letter.bytes, "byte", "bytes")}. They are not shown here, since nobody knows what is in them; the command line does: `, code(`cleeng-connector dead-letters show ${letter.messageId}`)));
  } catch (refused) {
    if (!(refused instanceof api.Refused)) throw refused;
    put(body, problem(refused.problem));
  }
}

export function resolvePayment({ payment, attempts }, done) {
  const last = attempts.at(-1);
  const { dialog, body } = open("Resolve the payment?",
    el("p", {}, "Look at the gateway’s own pages first", payment.externalPaymentId ? [", for ", code(payment.externalPaymentId)] : last ? [", for the key ", code(last.idempotencyKey)] : "", ". Where the gateway can be asked it has to agree with you."));
  const option = (value, title, text) => el("label", { class: "check" }, el("input", { type: "radio", name: "as", value, required: true }), el("span", {}, el("strong", {}, title), el("br"), el("span", { class: "quiet small" }, text)));
  const external = el("input", { name: "externalId", maxlength: 255, value: payment.externalPaymentId ?? "", spellcheck: "false" });
  const unchecked = el("input", { type: "checkbox", name: "unchecked" });
  body.append(signed(dialog, "Resolve", "primary", async (who) => {
    const as = body.querySelector("[name=as]:checked").value;
    const { status, cleengIsTold } = await api.resolve(payment.id, { as, externalId: external.value.trim() || null, unchecked: unchecked.checked, ...who });
    await done();
    return `The payment is ${words.status(status).title.toLowerCase()} now. ${cleengIsTold ? "Cleeng is told." : "Cleeng is not told: nothing happened at the gateway."}`;
  },
    el("fieldset", {}, el("legend", {}, "What you saw"),
      option("captured", "The money was taken", "It becomes captured, and Cleeng is told."),
      option("not-charged", "No money was taken, and none can be any more", "It becomes cancelled, and its order is free for another payment.")),
    field("The payment’s id at the gateway", external, "Needed where the money was taken."),
    el("label", { class: "check" }, unchecked, el("span", {}, "Do not ask the gateway; take my word"))));
}
