import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CheckoutError, paymentIdIn, problemFrom, retryAfter, wordOf } from '../dist/problem.js'
import { EventReader, pieces } from '../dist/sse.js'
import { freesOrder, isNews, isSettled, outcomeOf } from '../dist/status.js'
import { KeyStore } from '../dist/store.js'
import { declined, wordsFor, wordsForError } from '../dist/words.js'
import { ID, MemoryStorage, payment } from './fake.mjs'

test('an event stream is read the same however it is cut', () => {
  const text = 'retry: 5\n\n: a comment\n\nevent: payment\r\nid: 3\r\ndata: {"a":1,\r\ndata: "b":2}\r\n\r\nevent: other\rdata\r\rid: 4\n\ndata: last\n\ndata: never ended\n'
  const whole = [
    { id: '3', name: 'payment', data: '{"a":1,\n"b":2}' },
    { id: '3', name: 'other', data: '' },
    { id: '4', name: 'message', data: 'last' },
  ]
  for (let size = 1; size <= text.length; size += 1) {
    const reader = new EventReader()
    const events = []
    for (let place = 0; place < text.length; place += size) events.push(...reader.read(text.slice(place, place + size)))
    assert.deepEqual(events, whole, `pieces of ${size}`)
  }
})

test('a stream that goes silent fails, and one that ends is over', async () => {
  const bytes = new TextEncoder().encode(': hello\n\n')
  const read = async (body) => {
    let text = ''
    for await (const piece of pieces(body, 60)) text += piece
    return text
  }
  const silent = new ReadableStream({ start: (stream) => stream.enqueue(bytes) })
  await assert.rejects(read(silent), /silent/)
  const ended = new ReadableStream({
    start(stream) {
      stream.enqueue(bytes)
      stream.close()
    },
  })
  assert.equal(await read(ended), ': hello\n\n')
})

test('a problem is read, and a page of a proxy is one too', () => {
  const text = JSON.stringify({ type: 'urn:cleeng-connector:problem:order-taken', title: 'T', status: 409, detail: 'D', payment: `/v1/payments/${ID}` })
  const read = problemFrom(409, text)
  assert.equal(wordOf(read), 'order-taken')
  assert.equal(paymentIdIn(read.payment), ID)
  for (const other of ['<html>Bad gateway</html>', '', 'null', '[]', '{"title":5}']) {
    assert.deepEqual(problemFrom(502, other), { type: 'about:blank', title: 'The service answered with an error', status: 502, detail: 'Status 502.' })
  }
  for (const path of [undefined, '', '/v1/payments/', 'https://elsewhere.example/', `/v1/payments/${ID}/events`, '/v1/payments/../../x']) {
    assert.equal(paymentIdIn(path), null, String(path))
  }
})

test('Retry-After is read in both of its forms', () => {
  const now = Date.parse('2026-11-30T20:00:00Z')
  for (const [header, wait] of [['2', 2000], [' 0 ', 0], ['Mon, 30 Nov 2026 20:00:07 GMT', 7000], ['Mon, 30 Nov 2026 19:00:00 GMT', 0], ['soon', null], ['-1', null], ['1.5', null], ['', null], [null, null]]) {
    assert.equal(retryAfter(header, now), wait, String(header))
  }
})

test('an entry is kept, changed and removed by its key only', () => {
  const storage = new MemoryStorage()
  const store = new KeyStore(storage)
  const entry = { version: 1, orderId: '5', key: 'k1', paymentId: null, away: false, at: 1000 }
  store.put(entry)
  assert.deepEqual(new KeyStore(storage).get('5'), entry)
  store.change('5', 'k2', { paymentId: 'x' })
  store.remove('5', 'k2')
  assert.deepEqual(store.get('5'), entry)
  store.change('5', 'k1', { paymentId: 'x' })
  assert.equal(store.get('5').paymentId, 'x')
  store.remove('5', 'k1')
  assert.equal(store.get('5'), null)
  assert.equal(storage.length, 0)
})

test('what is old, broken, of another version or of another order is as if it were not there', () => {
  const storage = new MemoryStorage()
  const store = new KeyStore(storage)
  const name = 'cleeng-connector.payment.5'
  for (const text of ['{', 'null', '5', '{"version":2,"orderId":"5","key":"k"}', '{"version":1,"orderId":"6","key":"k"}', '{"version":1,"orderId":"5","key":""}']) {
    storage.setItem(name, text)
    assert.equal(store.get('5'), null, text)
  }
  storage.setItem('another.library', 'stays')
  store.put({ version: 1, orderId: '7', key: 'k', paymentId: null, away: false, at: 10 })
  store.prune(10 + 49 * 3600 * 1000)
  assert.deepEqual([...storage.map.keys()], ['another.library'])
})

test('a storage that is full or forbidden is replaced by memory', () => {
  const no = () => {
    throw new Error('denied')
  }
  for (const storage of [null, { getItem: no, setItem: no, removeItem: no, key: no, get length() { return no() } }]) {
    const store = new KeyStore(storage)
    store.put({ version: 1, orderId: '5', key: 'k1', paymentId: null, away: false, at: 1 })
    store.change('5', 'k1', { paymentId: ID })
    assert.equal(store.get('5').paymentId, ID)
    store.prune(1)
    store.remove('5', 'k1')
    assert.equal(store.get('5'), null)
  }
})

const STATUSES = ['accepted', 'processing', 'requires_action', 'pending', 'in_doubt', 'authorized', 'captured', 'partially_refunded', 'refunded', 'charged_back', 'rejected', 'cancelled', 'expired', 'failed']

test('only what ended without money frees the order', () => {
  assert.deepEqual(STATUSES.filter((status) => freesOrder(payment(status))), ['rejected', 'cancelled', 'expired'])
  assert.deepEqual(STATUSES.filter((status) => outcomeOf(payment(status)) === null), STATUSES.slice(0, 5))
  assert.equal(isSettled(payment('captured', { confirmation: { status: 'queued', cleengPaymentId: null } })), false)
  assert.equal(outcomeOf(payment('a_status_of_tomorrow')), null)
})

test('old news is no news, and an end is not taken back', () => {
  const early = payment('requires_action')
  const late = payment('captured')
  assert.ok(isNews(null, early) && isNews(early, late))
  assert.ok(!isNews(late, early) && !isNews(late, { ...late }))
  assert.ok(!isNews(late, { ...early, updatedAt: late.updatedAt }))
  assert.ok(isNews(early, { ...late, updatedAt: early.updatedAt }))
})

test('times are compared as times: zeros at the end of a fraction are not written', () => {
  const at = (updatedAt) => payment('processing', { updatedAt })
  assert.ok(isNews(at('2026-11-30T20:16:56.2Z'), at('2026-11-30T20:16:56.266Z')))
  assert.ok(isNews(at('2026-11-30T20:16:56Z'), at('2026-11-30T20:16:56.001Z')))
  assert.ok(!isNews(at('2026-11-30T20:16:56.266Z'), at('2026-11-30T20:16:56.2Z')))
})

test('a payer has words for every state, and is told nothing of fraud', () => {
  const view = { phase: 'working', payment: null, action: null, outcome: null, connection: 'good', problem: null }
  for (const status of STATUSES) {
    const one = payment(status)
    const outcome = outcomeOf(one)
    const phase = outcome ? 'over' : status === 'requires_action' ? 'payer' : 'working'
    for (const connection of ['good', 'lost']) {
      const { title, text } = wordsFor({ ...view, payment: one, outcome, phase, connection })
      assert.ok(title.length > 5 && text.length > 5, status)
    }
  }
  for (const kind of ['soft', 'technical', 'needs_customer', 'hard', 'fraud', 'invalid_order']) {
    for (const code of ['stolen_card', 'lost_card', 'fraudulent', 'x']) {
      const { title, text } = declined({ class: kind, code })
      assert.match(text, /^Nothing was charged/)
      assert.doesNotMatch(`${title} ${text}`, /fraud|stolen|lost|pick.?up/i)
    }
  }
  assert.match(declined({ class: 'soft', code: 'insufficient_funds' }).title, /not enough money/)
  for (const error of [new CheckoutError('unreachable'), new CheckoutError('refused', problemFrom(422, '')), new Error('x')]) {
    assert.ok(wordsForError(error).title)
  }
})
