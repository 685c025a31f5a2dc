// The console: signing in, the way from view to view, and what keeps going on in between.

import * as api from "./api.js";
import { el, icon, problem, put } from "./dom.js";
import * as overview from "./overview.js";
import * as payments from "./payments.js";
import * as payment from "./payment.js";
import * as letters from "./letters.js";
import * as demands from "./demands.js";
import * as log from "./log.js";
import * as words from "./words.js";

const EVERY = 2000;
const byId = (id) => document.getElementById(id);

const VIEWS = [
  { path: "", title: "Overview", icon: "home", view: overview },
  { path: "payments", title: "Payments", icon: "list", view: payments },
  { path: "dead-letters", title: "Dead letters", icon: "tray", view: letters },
  { path: "demands", title: "Demands", icon: "bell", view: demands },
  { path: "log", title: "Log", icon: "pen", view: log },
];

const state = { latest: null, shown: null, timer: null, failed: null };

// What a view may ask of the page around it.
const page = {
  latest: () => state.latest,
  // Something was done: the overview is asked anew at once.
  touched: () => poll(),
  go: (hash) => {
    location.hash = hash;
  },
};

function place() {
  const [path, search] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { parts, parameters: new URLSearchParams(search ?? "") };
}

function chosen(parts) {
  if (parts[0] === "payments" && parts[1]) return { ...VIEWS[1], title: "Payment", view: payment };
  return VIEWS.find((one) => one.path === (parts[0] ?? "")) ?? VIEWS[0];
}

async function show() {
  if (!api.session.token()) return signIn();
  byId("top").hidden = false;
  byId("foot").hidden = false;
  const { parts, parameters } = place();
  const next = chosen(parts);
  const main = byId("main");
  const isNew = state.shown !== location.hash;
  state.shown = location.hash;
  document.title = `${next.title} · Console`;
  navigation(next);
  if (next.view !== payments) byId("q").value = "";
  put(main, el("p", { class: "quiet loading" }, "Loading…"));
  state.update = null;
  const here = location.hash;
  try {
    const built = await next.view.build({ parts, parameters, page });
    if (here !== location.hash || !api.session.token()) return;
    put(main, built.node);
    state.update = built.update ?? null;
    if (state.latest) state.update?.(state.latest);
  } catch (refused) {
    if (!(refused instanceof api.Refused)) throw refused;
    if (here === location.hash && api.session.token()) put(main, problem(refused.problem), el("button", { type: "button", class: "secondary", onclick: show }, "Try again"));
  }
  if (isNew) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function navigation(current) {
  const badge = { "dead-letters": state.latest?.deadLetters, demands: state.latest?.demandsKept };
  put(byId("nav"), ...VIEWS.map((one) => {
    const waiting = badge[one.path];
    const isCurrent = one.path === current.path;
    return el("a", { href: `#/${one.path}`, "aria-current": isCurrent ? "page" : null, "data-focus": one.path },
      icon(one.icon), el("span", {}, one.title),
      waiting ? el("span", { class: "badge" }, el("span", { class: "unseen" }, "waiting: "), words.number(waiting)) : null);
  }));
}

async function poll() {
  clearTimeout(state.timer);
  if (!api.session.token()) return;
  if (!document.hidden) {
    try {
      state.latest = await api.overview();
      state.failed = null;
      state.update?.(state.latest);
      badges();
    } catch (refused) {
      if (!(refused instanceof api.Refused)) throw refused;
      state.failed = refused.problem;
    }
    connection();
  }
  clearTimeout(state.timer);
  if (api.session.token()) state.timer = setTimeout(poll, EVERY);
}

function badges() {
  const held = document.activeElement?.closest("#nav") ? document.activeElement.dataset.focus : null;
  const key = JSON.stringify([state.latest.deadLetters, state.latest.demandsKept, location.hash]);
  if (state.badges === key) return;
  state.badges = key;
  navigation(chosen(place().parts));
  if (held !== null) byId("nav").querySelector(`[data-focus="${held}"]`)?.focus();
}

function connection() {
  const box = byId("connection");
  box.className = state.failed ? "bad" : "";
  const text = state.failed ? `${state.failed.title}. ${state.failed.detail ?? ""}` : "Looked at every two seconds while this page is seen. All times are UTC.";
  if (box.textContent !== text) put(box, text);
}

function signIn(told) {
  clearTimeout(state.timer);
  state.latest = null;
  state.update = null;
  byId("top").hidden = true;
  byId("foot").hidden = true;
  document.title = "Sign in · Console";
  const token = el("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "current-password", spellcheck: "false", "aria-describedby": "token-note" });
  const trouble = el("div", {}, told ? problem(told) : null);
  const enter = el("button", { type: "submit", class: "primary" }, "Sign in");
  const form = el("form", { class: "card sign-in", onsubmit: async (event) => {
    event.preventDefault();
    enter.disabled = true;
    put(trouble);
    api.session.keep(token.value.trim());
    try {
      state.latest = await api.overview();
      show();
      poll();
    } catch (refused) {
      if (!(refused instanceof api.Refused)) throw refused;
      if (refused.problem.status !== 401 && refused.problem.status !== 404) {
        api.session.forget();
        put(trouble, problem(refused.problem));
      }
    }
    enter.disabled = false;
  } },
    el("img", { src: "/console/icon.svg", alt: "", width: 44, height: 44 }),
    el("h1", {}, "Console"),
    el("p", { class: "quiet" }, "What the connector does, and what needs you."),
    trouble,
    el("label", { for: "token" }, "Token"),
    token,
    el("p", { id: "token-note", class: "quiet small" }, "One of ops.admin_token. It stays in this tab and is forgotten with it."),
    enter);
  put(byId("main"), form);
  token.focus();
}

function leave(told) {
  api.session.forget();
  signIn(told);
}

addEventListener("hashchange", show);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) poll();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, dialog");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && api.session.token()) {
    event.preventDefault();
    byId("q").focus();
    byId("q").select();
  }
});
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const sought = byId("q").value.trim();
  page.go(sought ? `#/payments?q=${encodeURIComponent(sought)}` : "#/payments");
});
byId("leave").addEventListener("click", () => leave());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
setInterval(() => {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = words.ago(time.dateTime);
    if (time.textContent !== text) time.textContent = text;
  }
}, 1000);
api.onTurnedAway(leave);
show();
poll();
