import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoff } from '../dist/backoff.js'
import { START, next } from '../dist/follow.js'

const run = (happenings, state = START) => {
  const steps = []
  for (const happening of happenings) {
    const [after, step] = next(state, happening, 0.5)
    state = after
    steps.push(step)
  }
  return { state, steps }
}
const FAILED = { type: 'failed', after: null }
const POLLED = { type: 'polled', settled: false }
const event = (id, settled = false) => ({ type: 'event', id, settled })

test('a stream is listened to until the payment is settled', () => {
  assert.deepEqual(run([event('1'), event('4'), event('7', true)]).steps, [{ do: 'listen' }, { do: 'listen' }, { do: 'stop' }])
})

test('a broken stream goes on behind the last event that was read', () => {
  const { state, steps } = run([event('1'), event('4'), FAILED])
  assert.equal(steps.at(-1).do, 'stream')
  assert.equal(state.lastEventId, '4')
})

test('an event without an id leaves the place as it was', () => {
  assert.equal(run([event('4'), event(null)]).state.lastEventId, '4')
})

test('a stream that the server ended comes back soon', () => {
  assert.deepEqual(run([event('1'), { type: 'ended' }]).steps.at(-1), { do: 'stream', after: 200 })
})

test('three breaks without an event between them lead to polling at once', () => {
  const { steps } = run([FAILED, FAILED, FAILED])
  assert.deepEqual(steps.map((step) => step.do), ['stream', 'stream', 'poll'])
  assert.equal(steps[2].after, 0)
  assert.deepEqual(run([FAILED, FAILED, event('1'), FAILED]).steps.map((step) => step.do), ['stream', 'stream', 'listen', 'stream'])
})

test('polls come less and less often, and then the stream is tried once more', () => {
  const { state, steps } = run([FAILED, FAILED, FAILED, ...Array(12).fill(POLLED)])
  const waits = steps.slice(3, -1).map((step) => step.after)
  assert.ok(waits.every((wait, place) => wait <= 5000 && (place === 0 || wait >= waits[place - 1])), String(waits))
  assert.deepEqual(steps.at(-1), { do: 'stream', after: 0 })
  assert.equal(run([FAILED], state).steps[0].do, 'poll')
})

test('polls without an answer wait longer each time, and one answer ends that', () => {
  const { steps } = run([FAILED, FAILED, FAILED, FAILED, FAILED, POLLED])
  assert.deepEqual(steps.slice(3).map((step) => step.do), ['poll', 'poll', 'poll'])
  assert.ok(steps[4].after > steps[3].after)
  assert.ok(steps[5].after < 1000)
})

test('a settled answer to a poll is the end', () => {
  assert.deepEqual(run([FAILED, FAILED, FAILED, { type: 'polled', settled: true }]).steps.at(-1), { do: 'stop' })
})

test('the server is never asked before it wishes', () => {
  for (let failures = 1; failures < 12; failures += 1) {
    for (const wished of [0, 1000, 30_000]) assert.ok(backoff(failures, Math.random(), wished) >= wished)
  }
  const { steps } = run([{ type: 'failed', after: 3000 }, { type: 'failed', after: 3000 }, { type: 'failed', after: 3000 }, { type: 'failed', after: 3000 }])
  assert.ok(steps.every((step) => step.after >= 3000), JSON.stringify(steps))
})

test('waits double, are half random, and have an end', () => {
  assert.deepEqual([1, 2, 3, 9, 90].map((failures) => backoff(failures, 1, null)), [500, 1000, 2000, 10_000, 10_000])
  assert.equal(backoff(2, 0, null), 500)
})

test('whatever happens, a broken connection is asked for again after a while and never given up', () => {
  const kinds = [FAILED, { type: 'ended' }, POLLED, event('9')]
  for (let round = 0; round < 200; round += 1) {
    let state = START
    for (let place = 0; place < 60; place += 1) {
      const fits = kinds.filter((kind) => (state.mode === 'poll' ? kind === FAILED || kind === POLLED : kind !== POLLED))
      const happening = fits[Math.floor(Math.random() * fits.length)]
      const [after, step] = next(state, happening, Math.random())
      assert.notEqual(step.do, 'stop')
      assert.equal(step.do === 'poll' ? 'poll' : 'stream', after.mode)
      state = after
    }
  }
})
