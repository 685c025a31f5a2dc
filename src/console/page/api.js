// Asks the process that served this page. The token lives in this tab alone, and travels in a header alone.

const TOKEN = "console.token";
const NAME = "console.by";
const PATIENCE = 20000;

export class Refused extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

export const session = {
  token: () => sessionStorage.getItem(TOKEN),
  keep: (token) => sessionStorage.setItem(TOKEN, token),
  forget: () => sessionStorage.removeItem(TOKEN),
  name: () => sessionStorage.getItem(NAME) ?? "",
  keepName: (name) => sessionStorage.setItem(NAME, name),
};

let whenTurnedAway = () => {};
export function onTurnedAway(act) {
  whenTurnedAway = act;
}

async function ask(path, options = {}) {
  const headers = { authorization: `Bearer ${session.token() ?? ""}`, ...options.headers };
  let response;
  try {
    response = await fetch(`/admin${path}`, { ...options, headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Refused({ title: "The process does not answer", detail: "Is it still running? This page tries again.", status: 0 });
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const problem = body?.title ? body : { title: "The process answered with an error", detail: `Status ${response.status}.`, status: response.status };
  if (response.status === 401 || problem.type?.endsWith(":console-off")) whenTurnedAway(problem);
  throw new Refused(problem);
}

const query = (parameters) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
};
const send = (path, body) => ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const overview = () => ask("/overview");
export const payments = (parameters) => ask(`/payments${query(parameters)}`);
export const payment = (id) => ask(`/payments/${encodeURIComponent(id)}`);
export const resolve = (id, body) => send(`/payments/${encodeURIComponent(id)}/resolve`, body);
export const letters = () => ask("/dead-letters");
export const letter = (id) => ask(`/dead-letters/${encodeURIComponent(id)}`);
export const foretell = (ids, force) => send("/dead-letters/replay", { ids, force, dryRun: true });
export const replay = (ids, force, signed) => send("/dead-letters/replay", { ids, force, ...signed });
export const discard = (ids, signed) => send("/dead-letters/discard", { ids, ...signed });
export const pause = (side, signed) => send("/pause", { ...side, ...signed });
export const resume = (side, signed) => send("/resume", { ...side, ...signed });
export const demands = (state) => ask(`/demands${query({ state })}`);
export const log = (before) => ask(`/operator-log${query({ before })}`);
