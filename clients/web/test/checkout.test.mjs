import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CheckoutError, createCheckout } from '../dist/index.js'
import { ID, MemoryStorage, OTHER, connector, json, lost, payment, problem, stream } from './fake.mjs'

const SUBMIT = 'POST /v1/payments'
const READ = 'GET /v1/payments/ID'
const EVENTS = 'GET /v1/payments/ID/events'
const CONTINUE = 'POST /v1/payments/ID/continue'
const request = { orderId: 5, gateway: 'stripe', paymentMethod: { token: 'pm_secret_token' }, returnUrl: 'https://shop.example/back' }

function open(script, more = {}) {
  const storage = more.storage ?? new MemoryStorage()
  const there = connector(script)
  const checkout = createCheckout({ baseUrl: 'https://pay.example/', storage, fetch: there.fetch, ...more })
  return { ...there, storage, checkout }
}
const kept = (storage) => JSON.parse(storage.getItem('cleeng-connector.payment.5'))
const keys = (there) => there.of(SUBMIT).map((one) => one.headers['idempotency-key'])
const accepted = () => json(202, payment('accepted'))

test('a payment is sent with its key, followed to its end, and found again after a reload', async () => {
  const there = open({ [SUBMIT]: [accepted], [EVENTS]: [() => stream(payment('processing'), payment('captured'))], [READ]: [() => json(200, payment('captured'))] })
  const phases = []
  const run = there.checkout.pay(request)
  for await (const view of run.updates) if (view.phase !== phases.at(-1)) phases.push(view.phase)
  assert.deepEqual(phases, ['sending', 'working', 'over'])
  assert.equal((await run.done).status, 'captured')
  assert.equal((await run.settled).status, 'captured')
  const [sent] = there.of(SUBMIT)
  assert.deepEqual(sent.body, { ...request, orderId: '5' })
  assert.equal(sent.headers['idempotency-key'], kept(there.storage).key)

  const again = open({ [READ]: [() => json(200, payment('captured'))] }, { storage: there.storage })
  assert.equal(again.checkout.remembers(5), 'payment')
  assert.equal((await again.checkout.resume('5').done).status, 'captured')
})

test('the key is in the storage before the request leaves, and the token never is', async () => {
  let atSend
  const storage = new MemoryStorage()
  const there = open({ [SUBMIT]: [() => ((atSend = kept(storage)), accepted())], [EVENTS]: [() => stream(payment('captured'))] }, { storage })
  await there.checkout.pay(request).done
  assert.equal(atSend.paymentId, null)
  assert.equal(atSend.key, keys(there)[0])
  for (const text of storage.map.values()) assert.doesNotMatch(text, /pm_|token|shop\.example/)
})

test('the same key goes out again after a lost answer, a 503, a 429, a key in flight and a page of a proxy', async () => {
  const now = { 'retry-after': '0' }
  const there = open({
    [SUBMIT]: [lost, () => problem(503, 'unavailable', {}, now), () => problem(429, 'rate-limited', {}, now), () => problem(409, 'idempotency-key-in-flight', {}, now), () => new Response('<html>', { status: 200 }), accepted],
    [EVENTS]: [() => stream(payment('captured'))],
  })
  const run = there.checkout.pay(request)
  const said = new Set()
  run.subscribe((view) => said.add(view.connection).add(view.problem?.title))
  await run.done
  assert.equal(keys(there).length, 6)
  assert.equal(new Set(keys(there)).size, 1)
  assert.ok(said.has('lost') && said.has('unavailable'))
})

test('a server that asks to wait is not asked before', async () => {
  const there = open({ [SUBMIT]: [() => problem(503, 'overloaded', {}, { 'retry-after': '1' }), accepted], [EVENTS]: [() => stream(payment('captured'))] })
  const began = performance.now()
  await there.checkout.pay(request).done
  assert.ok(performance.now() - began >= 990)
})

test('two calls at once are one payment', async () => {
  const there = open({ [SUBMIT]: [accepted], [EVENTS]: [() => stream(payment('captured'))] })
  const first = there.checkout.pay(request)
  assert.equal(there.checkout.pay({ ...request, paymentMethod: { token: 'pm_2' } }), first)
  assert.equal(there.checkout.resume(5), first)
  await first.settled
  assert.equal(there.of(SUBMIT).length, 1)
})

test('a decline ends the key: the next try has another one', async () => {
  const there = open({ [SUBMIT]: [accepted, () => json(202, payment('accepted', { id: OTHER }))], [EVENTS]: [() => stream(payment('rejected')), () => stream(payment('captured', { id: OTHER }))] })
  const declined = await there.checkout.pay(request).done
  assert.equal(declined.status, 'rejected')
  assert.equal(there.checkout.remembers(5), 'nothing')
  assert.equal((await there.checkout.pay(request).done).id, OTHER)
  assert.equal(new Set(keys(there)).size, 2)
})

test('an order that another payment holds is followed there', async () => {
  const taken = () => problem(409, 'order-taken', { payment: `/v1/payments/${OTHER}` })
  const there = open({ [SUBMIT]: [taken], [READ]: [() => json(200, payment('processing', { id: OTHER }))], [EVENTS]: [() => stream(payment('captured', { id: OTHER }))] })
  const run = there.checkout.pay(request)
  assert.equal((await run.done).id, OTHER)
  assert.equal(kept(there.storage).paymentId, OTHER)
  assert.equal(there.of(EVENTS)[0].path, `/v1/payments/${OTHER}/events`)
})

test('a key without an answer is used again after a reload, and its payment is found when it had arrived', async () => {
  const storage = new MemoryStorage()
  const first = open({ [SUBMIT]: [lost] }, { storage })
  const run = first.checkout.pay(request)
  while (first.of(SUBMIT).length < 1) await new Promise((done) => setTimeout(done, 5))
  run.stop()
  await assert.rejects(run.done, (error) => error instanceof CheckoutError && error.reason === 'aborted')

  const reused = () => problem(422, 'idempotency-key-reused')
  const taken = () => problem(409, 'order-taken', { payment: `/v1/payments/${ID}` })
  const there = open({ [SUBMIT]: [reused, taken], [READ]: [() => json(200, payment('captured'))] }, { storage })
  assert.equal(there.checkout.remembers(5), 'unanswered')
  assert.equal(there.checkout.resume(5), null)
  assert.equal((await there.checkout.pay({ ...request, paymentMethod: { token: 'pm_2' } }).done).status, 'captured')
  assert.equal(keys(there)[0], keys(first)[0])
  assert.equal(new Set(keys(there)).size, 2)
})

test('what is refused is told with its problem and leaves no key behind', async () => {
  const errors = [{ field: 'gateway', detail: 'unknown' }]
  const there = open({ [SUBMIT]: [() => problem(422, 'invalid-fields', { errors })] })
  await assert.rejects(there.checkout.pay(request).done, (error) => {
    assert.deepEqual([error.reason, error.problem.errors], ['refused', errors])
    return true
  })
  assert.equal(there.checkout.remembers(5), 'nothing')
})

test('a token is asked for each time, and once more after a 401', async () => {
  let asked = 0
  const token = async () => `jwt-${(asked += 1)}`
  const there = open({ [SUBMIT]: [() => problem(401, 'unauthorized'), accepted], [EVENTS]: [() => stream(payment('captured'))] }, { token })
  await there.checkout.pay(request).done
  assert.deepEqual(there.asked.map((one) => one.headers.authorization), ['Bearer jwt-1', 'Bearer jwt-2', 'Bearer jwt-3'])
  const never = open({ [SUBMIT]: [() => problem(401, 'unauthorized')] }, { token })
  await assert.rejects(never.checkout.pay(request).done, (error) => error.problem.status === 401)
  assert.equal(never.of(SUBMIT).length, 2)
})

test('a cut stream goes on behind its last event; where none holds the payment is polled', async () => {
  const there = open({
    [SUBMIT]: [accepted],
    [EVENTS]: [() => stream(payment('processing')), lost],
    [READ]: [() => json(200, payment('in_doubt')), () => json(200, payment('captured'))],
  })
  const statuses = []
  const run = there.checkout.pay(request)
  run.subscribe((view) => view.payment && view.payment.status !== statuses.at(-1) && statuses.push(view.payment.status))
  await run.settled
  assert.deepEqual(statuses, ['accepted', 'processing', 'in_doubt', 'captured'])
  assert.deepEqual(there.of(EVENTS).map((one) => one.headers['last-event-id']), [undefined, '1', '1'])
  assert.equal(there.of(READ).length, 2)
})

const SDK = { type: 'stripe_sdk', clientSecret: 'pi_1_secret_2', publishableKey: 'pk' }
const asks = (action) => payment('requires_action', { nextAction: action })

test('what the payer has to do is handed over once, and then the connector is told', async () => {
  const handed = []
  const there = open(
    { [SUBMIT]: [accepted], [EVENTS]: [() => stream(asks(SDK)), () => stream(asks(SDK), payment('captured'))], [CONTINUE]: [lost, () => json(202, asks(SDK))] },
    { actions: { stripe_sdk: async (action) => void handed.push(action) } },
  )
  await there.checkout.pay(request).done
  assert.deepEqual(handed, [SDK])
  assert.ok(there.of(CONTINUE).length >= 1)
})

test('an action that the payer left open can be taken up again', async () => {
  let tries = 0
  const there = open(
    { [SUBMIT]: [accepted], [EVENTS]: [() => stream(asks(SDK)), lost], [READ]: [() => json(200, tries < 2 ? asks(SDK) : payment('captured'))], [CONTINUE]: [() => json(202, asks(SDK))] },
    { actions: { stripe_sdk: async () => (tries += 1) > 1 } },
  )
  const run = there.checkout.pay(request)
  for await (const view of run.updates) if (view.action === 'open') break
  assert.equal(there.of(CONTINUE).length, 0)
  await run.act()
  await run.done
  assert.equal(there.of(CONTINUE).length, 1)
})

test('a payer who was sent away is told about when they come back, and is not sent away again', async () => {
  const storage = new MemoryStorage()
  const sent = []
  const redirect = (url) => void sent.push([url, kept(storage).away])
  const away = open({ [SUBMIT]: [accepted], [EVENTS]: [() => stream(asks({ type: 'redirect', url: 'https://bank.example/' })), lost], [READ]: [lost] }, { storage, actions: { redirect } })
  const gone = away.checkout.pay(request)
  while (sent.length === 0) await new Promise((done) => setTimeout(done, 5))
  gone.stop()
  assert.deepEqual(sent, [['https://bank.example/', true]])

  const asked = asks({ type: 'redirect', url: 'https://bank.example/' })
  const back = open({ [READ]: [() => json(200, asked)], [CONTINUE]: [() => json(202, asked)], [EVENTS]: [() => stream(asked, payment('captured'))] }, { storage, actions: { redirect } })
  assert.equal((await back.checkout.resume(5).done).status, 'captured')
  assert.equal(sent.length, 1)
  assert.equal(back.of(CONTINUE).length, 1)
  assert.equal(kept(storage).away, false)
})

test('a payment that the connector does not know is forgotten here too', async () => {
  const storage = new MemoryStorage()
  storage.setItem('cleeng-connector.payment.5', JSON.stringify({ version: 1, orderId: '5', key: 'k', paymentId: ID, away: false, at: Date.now() }))
  const there = open({ [READ]: [() => problem(404, 'unknown-payment')] }, { storage })
  await assert.rejects(there.checkout.resume(5).done, (error) => error.problem.status === 404)
  assert.equal(there.checkout.remembers(5), 'nothing')
})

test('the signal of the caller ends the following and keeps the payment', async () => {
  const abort = new AbortController()
  const there = open({ [SUBMIT]: [accepted], [EVENTS]: [() => stream(payment('processing'))], [READ]: [() => json(200, payment('processing'))] })
  const run = there.checkout.pay({ ...request, signal: abort.signal })
  for await (const view of run.updates) if (view.payment?.status === 'processing') abort.abort()
  await assert.rejects(run.done, (error) => error.reason === 'aborted')
  assert.equal(there.checkout.remembers(5), 'payment')
})
