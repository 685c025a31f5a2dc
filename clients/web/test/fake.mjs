// A connector in memory: answers by a script, and remembers what it was asked.

import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto

export const ID = '01a20f7b-7904-721e-8800-5516d302ff70'
export const OTHER = '01a20f7b-7904-721e-8800-5516d302ff71'

let moment = 0

export function payment(status, more = {}) {
  moment += 1
  return {
    id: ID,
    orderId: 5,
    gateway: 'stripe',
    operation: 'initial-payment',
    status,
    amount: { value: 999, currency: 'EUR' },
    nextAction: null,
    decline: status === 'rejected' ? { class: 'soft', code: 'insufficient_funds' } : null,
    externalPaymentId: null,
    confirmation: { status: status === 'captured' || status === 'rejected' ? 'delivered' : 'none', cleengPaymentId: null },
    createdAt: '2026-11-24T21:34:39.000Z',
    updatedAt: new Date(Date.UTC(2026, 10, 24) + moment).toISOString(),
    expiresAt: '2026-11-24T21:49:39.000Z',
    ...more,
  }
}

export const json = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
export const problem = (status, word, more = {}, headers = {}) =>
  new Response(JSON.stringify({ type: `urn:cleeng-connector:problem:${word}`, title: word, status, detail: '', ...more }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })
export const lost = () => {
  throw new TypeError('Failed to fetch')
}
const event = (payment, id) => `event: payment\nid: ${id}\ndata: ${JSON.stringify(payment)}\n\n`
export const stream = (...payments) => new Response(payments.map((one, place) => event(one, place + 1)).join(''), { headers: { 'content-type': 'text/event-stream' } })

export class MemoryStorage {
  map = new Map()
  get length() { return this.map.size }
  key(place) { return [...this.map.keys()][place] ?? null }
  getItem(name) { return this.map.get(name) ?? null }
  setItem(name, value) { this.map.set(name, String(value)) }
  removeItem(name) { this.map.delete(name) }
}

/** `script` has a list of answers for each call, such as `POST /v1/payments`; the last one of a list stays. */
export function connector(script) {
  const asked = []
  const fetch = async (url, init) => {
    const { pathname } = new URL(url)
    const name = `${init.method ?? 'GET'} ${pathname.replace(/[0-9a-f-]{36}/, 'ID')}`
    const headers = Object.fromEntries(init.headers)
    asked.push({ name, path: pathname, headers, body: init.body ? JSON.parse(init.body) : null })
    const answers = script[name]
    if (!answers?.length) throw new Error(`not in the script: ${name}`)
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    return answer(asked.at(-1))
  }
  return { fetch, asked, of: (name) => asked.filter((one) => one.name === name) }
}
