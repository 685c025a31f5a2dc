// Talks to the connector as any shop's front end would: problems are read, and a payment is sent again only under its key.

const TRIES = 12;
const PATIENCE = 10000;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// An answer that is not a success. `again`: the seconds after which the same request may be sent once more, or 0.
export class Refused extends Error {
  constructor(problem, again) {
    super(problem.title);
    this.problem = problem;
    this.again = again;
  }
}

export const json = (body, headers = {}) => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Refused({ title: "The demo does not answer", detail: "Is the process still running? Reload this page when it is: the same payment goes on." }, 1);
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return { body, status: response.status, replayed: response.headers.get("idempotent-replayed") === "true" };
  const again = Number(response.headers.get("retry-after")) || 0;
  const problem = body?.title ? body : { title: "The demo answered with an error", detail: `Status ${response.status}.`, status: response.status };
  throw new Refused(problem, again);
}

// Sends one payment until it is accepted or refused. A repetition is safe: it carries the same key and the same body.
export async function send(attempt, tell) {
  for (let left = TRIES; ; left -= 1) {
    try {
      const answer = await ask("/v1/payments", json(attempt.body, { "idempotency-key": attempt.key }));
      tell(null);
      return answer;
    } catch (refused) {
      const isLast = !refused.again || left <= 1;
      tell(isLast ? null : `${refused.message}. Sending the same request again…`);
      if (isLast) throw refused;
      await pause(refused.again * 1000);
    }
  }
}
