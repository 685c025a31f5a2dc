// The operator's console: what it shows, what it does, and that it can be used by everybody, on a phone and in the dark too.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually, freePort, openBrowser, openPage, picture, seriousFindings, start, startDemo } from './harness.mjs'

const TOKEN = 'operators-token-0123456789'
const DESKTOP = { width: 1280, height: 860 }
const PHONE = { width: 360, height: 740 }
const STRIPE_METHOD = 100000001
const SIMULATED_METHOD = 100000002

let world
let browser
before(async () => {
  ;[world, browser] = await Promise.all([startWorld(), openBrowser()])
})
after(async () => {
  await browser?.close()
  await world?.stop()
})

/** The simulators and one process of the connector that gives up telling Cleeng after a second. */
async function startWorld() {
  const [port, opsPort, outsidePort] = [await freePort(), await freePort(), await freePort()]
  const folder = mkdtempSync(join(tmpdir(), 'console-test-'))
  const simulator = `http://127.0.0.1:${outsidePort}`
  const outside = await start(['simulator', `--listen=127.0.0.1:${outsidePort}`], { ready: /127\.0\.0\.1/ })
  const env = {
    CONNECTOR_HTTP__LISTEN: `127.0.0.1:${port}`,
    CONNECTOR_OPS__LISTEN: `127.0.0.1:${opsPort}`,
    CONNECTOR_OPS__ADMIN_TOKEN: TOKEN,
    CONNECTOR_LEDGER__URL: `sqlite://${join(folder, 'connector.sqlite')}`,
    CONNECTOR_CONFIRMER__MAX_AGE: '1s',
    CONNECTOR_CLEENG__BASE_URL: `${simulator}/cleeng/3.1`,
    CONNECTOR_CLEENG__PUBLISHER_TOKEN: 'simulated-publisher-token',
    CONNECTOR_CLEENG__PUBLISHER_ID: '558186818',
    CONNECTOR_CLEENG__TIMEOUT: '1s',
    CONNECTOR_CLEENG__SETTLE_TIME: '1500ms',
    CONNECTOR_GATEWAYS__STRIPE__BASE_URL: `${simulator}/stripe`,
    CONNECTOR_GATEWAYS__STRIPE__SECRET_KEY: 'sk_test_simulated',
    CONNECTOR_GATEWAYS__STRIPE__PUBLISHABLE_KEY: 'pk_test_simulated',
    CONNECTOR_GATEWAYS__STRIPE__WEBHOOK_SECRET: 'whsec_simulated',
    CONNECTOR_GATEWAYS__STRIPE__PAYMENT_METHOD_ID: String(STRIPE_METHOD),
    CONNECTOR_GATEWAYS__SIMULATED__BASE_URL: `${simulator}/simulated`,
    CONNECTOR_GATEWAYS__SIMULATED__SECRET_KEY: 'simulated-secret-key',
    CONNECTOR_GATEWAYS__SIMULATED__WEBHOOK_SECRET: 'simulated-webhook-secret',
    CONNECTOR_GATEWAYS__SIMULATED__PAYMENT_METHOD_ID: String(SIMULATED_METHOD),
  }
  const connector = await start(['run'], { env, ready: /"started"/ })
  const stop = async () => {
    await connector.stop()
    await outside.stop()
    rmSync(folder, { recursive: true })
  }
  return { url: `http://127.0.0.1:${port}`, ops: `http://127.0.0.1:${opsPort}`, simulator, stop }
}

async function post(url, body, headers = {}) {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${url}: ${answer.status} ${await answer.clone().text()}`)
  return answer.json()
}

let customers = 300_000_000

/** A payment that has come as far as `ends`, with all its ids. */
async function pay(gateway, token, ends) {
  const paymentMethodId = gateway === 'stripe' ? STRIPE_METHOD : SIMULATED_METHOD
  const customerId = customers++
  const { id: orderId } = await post(`${world.simulator}/_orders`, { totalMinor: 999, currency: 'EUR', paymentMethodId, customerId })
  const { id } = await post(`${world.url}/v1/payments`, { orderId, gateway, paymentMethod: { token } }, { 'idempotency-key': `key-${orderId}` })
  const payment = await eventually(`${id} is ${ends}`, async () => {
    const seen = await (await fetch(`${world.url}/v1/payments/${id}`)).json()
    return `${seen.status} ${seen.confirmation.status}` === ends ? seen : null
  })
  return { id, orderId, customerId, externalId: payment.externalPaymentId }
}

const fault = (rule) => post(`${world.simulator}/_faults`, rule)
const clearFaults = () => fetch(`${world.simulator}/_faults`, { method: 'DELETE' })

/** A payment that was charged and that Cleeng did not take: its news is a dead letter. */
async function givenUp() {
  await fault({ operation: 'cleeng.payment', fault: 'rate_limited', probability: 1 })
  const paid = await pay('stripe', 'pm_card_visa', 'captured dead_lettered')
  await clearFaults()
  return paid
}

async function admin(path) {
  return (await fetch(`${world.ops}/admin${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })).json()
}

/** The console, signed in, at this place. */
async function signedIn(hash = '#/', options = { viewport: DESKTOP }) {
  const opened = await openPage(browser, options)
  await opened.page.goto(`${world.ops}/console${hash}`)
  await opened.page.getByLabel('Token').fill(TOKEN)
  await opened.page.getByRole('button', { name: 'Sign in' }).click()
  await opened.page.locator('#top').waitFor()
  return opened
}

async function sign(dialog, by, reason) {
  await dialog.getByLabel('Who you are').fill(by)
  await dialog.getByLabel('Why').fill(reason)
}

async function isNotWide(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `${wide} pixels too wide at ${page.url()}`)
}

test('a wrong token is turned away, the right one opens, and the address never has it', async () => {
  const { page, context, faults } = await openPage(browser, { viewport: DESKTOP })
  await page.goto(`${world.ops}/console`)
  await page.getByLabel('Token').fill('wrong-token-0123456789')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').filter({ hasText: 'The token is wrong' }).waitFor()
  await picture(page, 'console-sign-in-wrong')
  // The browser itself writes a refused request to the console; nothing else may be there.
  assert.deepEqual(faults().filter((text) => !text.includes('401')), [])
  await page.getByLabel('Token').fill(TOKEN)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.ok(!page.url().includes(TOKEN))
  assert.deepEqual(await context.cookies(), [])
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Token').waitFor()
  assert.equal(await page.evaluate(() => sessionStorage.getItem('console.token')), null)
  await context.close()
})

test('the overview moves when a payment is made', async () => {
  const { page, context, faults } = await signedIn()
  const figure = (name) => page.locator(`[data-figure=${name}] strong`)
  await figure('accepted').waitFor()
  const earlier = Number(await figure('accepted').textContent())
  await pay('stripe', 'pm_card_visa', 'captured delivered')
  for (const name of ['accepted', 'told']) {
    await eventually(`${name} has moved`, async () => Number(await figure(name).textContent()) > (name === 'accepted' ? earlier : 0))
  }
  await picture(page, 'console-overview')
  assert.deepEqual(faults(), [])
  await context.close()
})

test('a payment is found by each of its ids, and tells its story at a link of its own', async () => {
  const paid = await pay('stripe', 'pm_card_visa', 'captured delivered')
  const { page, context, faults } = await signedIn()
  for (const [name, id] of [['order', paid.orderId], ['customer', paid.customerId], ['external id', paid.externalId]]) {
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type(String(id))
    await page.keyboard.press('Enter')
    const hit = page.locator('.payments .hit').filter({ hasText: `${name} ${id}` })
    await hit.waitFor()
    assert.equal(await page.locator('.payments > li').count(), 1, name)
  }
  await page.locator('#q').fill(paid.id)
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/console#/payments/${paid.id}`)
  await page.getByRole('heading', { name: '€9.99' }).waitFor()
  for (const text of ['Accepted and queued', 'Asked the gateway: charge', 'Outcome at the gateway', 'Telling Cleeng', 'Cleeng knows']) {
    await page.locator('.timeline').getByText(text, { exact: true }).first().waitFor()
  }
  await picture(page, 'console-payment')
  await page.locator('#q').fill('pi_nobody')
  await page.keyboard.press('Enter')
  await page.getByText('Nothing found').waitFor()
  await context.close()

  const linked = await signedIn(`#/payments/${paid.id}`)
  await linked.page.getByRole('heading', { name: '€9.99' }).waitFor()
  assert.deepEqual([...faults(), ...linked.faults()], [])
  await linked.context.close()
})

test('a dead letter is foretold, replayed with who and why, and gone; the log shows it', async () => {
  const paid = await givenUp()
  const { page, context, faults } = await signedIn('#/dead-letters')
  const group = page.locator('[data-reason=too_old]')
  await group.getByRole('button', { name: /^Replay(?: all)?: / }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('a replay tells Cleeng').waitFor()
  await picture(page, 'console-replay')
  assert.deepEqual((await admin('/operator-log')).deeds.filter(({ paymentId }) => paymentId === paid.id), [])
  await sign(dialog, 'Anna', 'Cleeng is back')
  await dialog.getByRole('button', { name: 'Replay 1 message' }).click()
  await page.getByText('1 replayed.').waitFor()
  await page.getByText('No dead letters').waitFor()
  await eventually('Cleeng knows', async () => (await admin(`/payments/${paid.id}`)).payment.confirmation.status === 'delivered')
  await page.getByRole('link', { name: 'Log' }).click()
  const entry = page.locator('.deeds li').filter({ hasText: 'Replayed' }).first()
  await entry.getByText('“Cleeng is back”').waitFor()
  await entry.getByRole('link', { name: 'its payment' }).click()
  await page.locator('.timeline').getByText('Replayed by Anna').waitFor()
  assert.deepEqual(faults(), [])
  await context.close()
})

test('a dead letter is discarded with who and why', async () => {
  const paid = await givenUp()
  const { page, context, faults } = await signedIn('#/dead-letters')
  await page.locator('[data-reason=too_old] summary').click()
  await page.getByRole('link', { name: `Payment ${paid.id}` }).waitFor()
  await picture(page, 'console-dead-letters')
  await page.getByRole('button', { name: /^Look at message/ }).click()
  await page.getByRole('dialog').getByText('"paymentId"').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^Discard message/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('removed for good').waitFor()
  await dialog.getByRole('button', { name: 'Discard 1 message' }).click()
  assert.ok(await dialog.isVisible(), 'without who and why nothing is done')
  await sign(dialog, 'Anna', 'told Cleeng by hand')
  await dialog.getByRole('button', { name: 'Discard 1 message' }).click()
  await page.getByText('1 discarded.').waitFor()
  const [deed] = (await admin('/operator-log')).deeds
  assert.deepEqual([deed.deed, deed.by, deed.reason, deed.paymentId], ['discard', 'Anna', 'told Cleeng by hand', paid.id])
  assert.deepEqual(faults(), [])
  await context.close()
})

test('a gateway is paused and resumed', async () => {
  const { page, context, faults } = await signedIn()
  const lane = page.locator('[data-lane=stripe]')
  for (const [verb, state, reason] of [['Pause', 'Paused', 'their maintenance'], ['Resume', 'Open', 'it is over']]) {
    await lane.getByRole('button', { name: `${verb} stripe` }).click()
    const dialog = page.getByRole('dialog')
    await sign(dialog, 'Anna', reason)
    await dialog.getByRole('button', { name: verb, exact: true }).click()
    await lane.locator('.pill').filter({ hasText: state }).waitFor()
    if (verb === 'Pause') {
      await lane.getByText('their maintenance').waitFor()
      await page.getByText('stripe is paused.').first().waitFor()
      await picture(page, 'console-paused')
    }
  }
  const { deeds } = await admin('/operator-log')
  assert.deepEqual(deeds.slice(0, 2).map(({ deed, by, reason }) => [deed, by, reason]), [['resume', 'Anna', 'it is over'], ['pause', 'Anna', 'their maintenance']])
  assert.deepEqual(faults(), [])
  await context.close()
})

test('a payment that nothing else can settle is resolved', async () => {
  await fault({ operation: 'simulated.charge', fault: 'commit_then_500', times: 1 })
  const paid = await pay('simulated', 'tok_ok', 'in_doubt none')
  const books = await (await fetch(`${world.simulator}/_ledger?reference=${paid.id}`)).json()
  const { page, context, faults } = await signedIn(`#/payments/${paid.id}`)
  await page.getByRole('button', { name: 'Resolve…' }).click()
  const dialog = page.getByRole('dialog')
  await picture(page, 'console-resolve')
  await dialog.getByLabel('The money was taken').check()
  await dialog.getByLabel('The payment’s id at the gateway').fill(books.simulated.charges[0].id)
  await sign(dialog, 'Anna', 'seen in the gateway’s pages')
  await dialog.getByRole('button', { name: 'Resolve', exact: true }).click()
  await page.locator('.heading').getByText('Captured').waitFor()
  assert.deepEqual(faults(), [])
  await context.close()
})

test('every view fits a phone and has no serious finding, light and dark', async () => {
  const paid = await givenUp()
  const views = [
    ['overview', '#/', (page) => page.locator('[data-lane=cleeng]')],
    ['payments', '#/payments', (page) => page.locator('.payments > li').first()],
    ['payment', `#/payments/${paid.id}`, (page) => page.locator('.timeline')],
    ['dead-letters', '#/dead-letters', (page) => page.locator('[data-reason=too_old]')],
    ['demands', '#/demands', (page) => page.getByText('Nothing is kept for you')],
    ['log', '#/log', (page) => page.locator('.deeds > li').first()],
  ]
  // The other two are for a person who wants to look at pictures: their colours and their layout are in these two.
  const both = [['phone', PHONE, 'light'], ['desktop', DESKTOP, 'dark']]
  const all = [...both, ['phone', PHONE, 'dark'], ['desktop', DESKTOP, 'light']]
  for (const [size, viewport, colorScheme] of process.env.SCREENSHOTS ? all : both) {
    const { page, context, faults } = await signedIn('#/', { viewport, colorScheme })
    for (const [name, hash, there] of views) {
      await page.evaluate((to) => { location.hash = to }, hash)
      await there(page).waitFor()
      await isNotWide(page)
      assert.deepEqual(await seriousFindings(page), [], `${name}, ${size}, ${colorScheme}`)
      await picture(page, `console-${name}-${size}-${colorScheme}`)
    }
    await page.evaluate(() => { location.hash = '#/dead-letters' })
    await page.getByRole('button', { name: /^Replay(?: all)?: / }).first().click()
    await page.getByRole('dialog').getByLabel('Why').waitFor()
    await isNotWide(page)
    assert.deepEqual(await seriousFindings(page), [], `dialog, ${size}, ${colorScheme}`)
    await picture(page, `console-dialog-${size}-${colorScheme}`)
    await page.keyboard.press('Escape')
    await page.evaluate(() => sessionStorage.clear())
    await page.reload()
    await page.getByLabel('Token').waitFor()
    await isNotWide(page)
    assert.deepEqual(await seriousFindings(page), [], `sign-in, ${size}, ${colorScheme}`)
    await picture(page, `console-sign-in-${size}-${colorScheme}`)
    assert.deepEqual(faults(), [])
    await context.close()
  }
})

test('the demo prints where its console is and what opens it', async () => {
  const demo = await startDemo()
  try {
    const [, address, token] = /Operators: (http:\S+) +token (\S+)/.exec(demo.output())
    const { page, context, faults } = await openPage(browser, { viewport: DESKTOP })
    await page.goto(address)
    await page.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByText('All is well. Nothing needs you.').waitFor()
    await picture(page, 'console-demo')
    assert.deepEqual(faults(), [])
    await context.close()
  } finally {
    await demo.stop()
  }
})
