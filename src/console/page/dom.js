// Builds the page out of elements. Text is always text: nothing that a server says becomes markup.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  check: "M4 10.5l4 4 8-9",
  alert: "M10 5.5v5.5M10 14.4v.1M10 2.2l8 14.6H2z",
  pause: "M7 4.5v11M13 4.5v11",
  play: "M6.5 4.200l9 5.800-9 5.800z",
  clock: "M10 5.5V10l3 2M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 000-15z",
  cross: "M5 5l10 10M15 5L5 15",
  arrow: "M4 10h12M11 5l5 5-5 5",
  away: "M3 8a11 11 0 0114 0M6 11.5a7 7 0 018 0M10 15.5v.1M3 3l14 14",
  back: "M16 10H4M9 5l-5 5 5 5",
  home: "M3 9.5L10 3.5l7 6M5 8.5V16.5h10V8.5",
  list: "M3 5.5h14M3 10h14M3 14.5h14",
  tray: "M3 11.5h4l1 2.5h4l1-2.5h4M3 11.5v5h14v-5L14.5 4h-9z",
  bell: "M5 14V9a5 5 0 0110 0v5l1.5 1.5h-13zM8.5 17.5h3",
  pen: "M4 16l.8-3.5L13.5 3.800l2.700 2.700-8.700 8.700z",
};

// Properties: `class`, `on…` handlers, `hidden` and other attributes; null and false are left out.
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
}

export function put(node, ...children) {
  node.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
}

// Fills a part anew only when what it shows has changed, and gives the focus back to what had it.
export function refresh(node, shown, build) {
  const key = JSON.stringify(shown);
  if (node.shownKey === key) return;
  node.shownKey = key;
  const held = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  put(node, ...[build(shown)].flat());
  if (held) node.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus();
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function icon(name) {
  return svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true", focusable: "false" }, svg("path", { d: ICONS[name] ?? ICONS.alert }));
}

// A state: colour, sign and word, so that none of them has to be seen.
export function pill(words) {
  return el("span", { class: `pill ${words.tone}` }, words.icon ? icon(words.icon) : null, words.title);
}

export function fact(name, ...values) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, ...values));
}

export function code(text) {
  return el("code", {}, text);
}

export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", class: "secondary", onclick, ...properties }, text);
}

export function empty(title, text) {
  return el("div", { class: "empty" }, icon("check"), el("p", { class: "strong" }, title), el("p", { class: "quiet" }, text));
}

export function heading(title, ...rest) {
  return el("div", { class: "heading" }, el("h1", {}, title), ...rest);
}

export function problem(refused) {
  return el("div", { class: "problem", role: "alert" }, icon("alert"), el("div", {}, el("p", { class: "strong" }, refused.title), el("p", {}, refused.detail ?? "")));
}

export function toast(text) {
  const box = document.getElementById("toast");
  put(box, text);
  box.classList.add("shown");
  clearTimeout(box.timer);
  box.timer = setTimeout(() => box.classList.remove("shown"), 6000);
}

// Bars of the last minutes, the newest at the right.
export function bars(counts, label) {
  const [width, height, step] = [counts.length * 6, 36, 6];
  const most = Math.max(1, ...counts);
  const each = counts.map((count, place) => {
    const tall = count === 0 ? 1.5 : Math.max(3, (count / most) * height);
    return svg("rect", { x: place * step, y: height - tall, width: 4, height: tall, rx: 1, class: count === 0 ? "none" : "some" });
  });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "bars", role: "img", "aria-label": label, preserveAspectRatio: "none" }, ...each);
}

// A time as "3 s ago", kept up to date by the page; the whole of it in UTC where a pointer rests.
export function since(iso, words) {
  return el("time", { datetime: iso, title: `${words.utc(iso)} UTC`, "data-ago": true }, words.ago(iso));
}
