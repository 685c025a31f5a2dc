// The checkout of `clients/web/example` in a browser: whatever a payer and a network do, an order is charged once, or not at all.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { books, eventually, openBrowser, openPage, picture, seriousFindings, startDemo } from './harness.mjs'

const VISA = '4242 4242 4242 4242'
const DECLINED = '4000 0000 0000 9995'
const SECURE = '4000 0025 0000 3155'

let demo
let hasty
let browser
before(async () => {
  const short = ['--set', 'checkout.deadline=6s', '--set', 'worker.sweep_every=1s']
  ;[demo, hasty, browser] = await Promise.all([startDemo(), startDemo(short), openBrowser()])
})
after(async () => {
  await browser?.close()
  await Promise.all([demo?.stop(), hasty?.stop()])
})

/** What each test saw in the end: order, and what the books said. Held against the books once more when all is over. */
const seen = []

/** What really happened to an order: how often money was taken, and what Cleeng has of it. */
async function truth(order, of = demo) {
  const { stripe, cleeng } = await books(of, `orderId=${order}`)
  const intents = stripe.paymentIntents.filter(({ metadata }) => metadata.order_id === order)
  const charged = intents.reduce((sum, { charges }) => sum + charges, 0)
  return { charged, cleeng: cleeng.payments.map(({ status }) => status).sort() }
}

async function happened(order, expected, of = demo) {
  const isSo = async () => JSON.stringify(await truth(order, of)) === JSON.stringify(expected)
  await eventually(`the books say ${JSON.stringify(expected)} of order ${order}`, isSo).catch(async (error) => {
    throw new Error(`${error.message}; they say ${JSON.stringify(await truth(order, of))}`)
  })
  seen.push({ order, expected, of })
}

/** A knob of the simulators. */
async function knob(path, body, of = demo) {
  const response = await fetch(`${of.simulator}${path}`, { method: body ? 'POST' : 'DELETE', body: body && JSON.stringify(body) })
  assert.equal(response.status, 200)
}
const slowly = (delayMs) => knob('/_faults', { operation: 'stripe.confirm', fault: 'slow', delayMs })

/** The checkout of a new order. `sent` are the connector's requests; `end` checks what must never have happened, and closes. */
async function shop({ query = '', of = demo, allowed = [], ...options } = {}) {
  const { page, context, faults } = await openPage(browser, options)
  const sent = []
  context.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith('/v1/')) sent.push({ name: `${request.method()} ${pathname.replace(/[0-9a-f-]{36}/, 'ID')}`, headers: request.headers(), body: request.postData() ?? '' })
  })
  await page.goto(`${of.url}/checkout${query}`)
  const order = new URL(page.url()).searchParams.get('order')
  await ready(page)
  const end = async () => {
    for (const { body } of sent) assert.doesNotMatch(body, /\d{12,}|cvc|exp_month/)
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))
    assert.doesNotMatch(kept, /pm_|4242|0002|3155|secret/)
    // The gateway's webhook may be faster than the browser's word.
    const expected = [/409 \(Conflict\).*\/continue/, ...allowed]
    assert.deepEqual(faults().filter((fault) => !expected.some((one) => one.test(fault))), [])
    await context.close()
  }
  return { page, context, order, end, sent, of: (name) => sent.filter((one) => one.name === name) }
}

const SUBMIT = 'POST /v1/payments'
const NET = /Failed to load resource: net::ERR_/
const payButton = (page) => page.getByRole('button', { name: /^Pay/ })
const bank = (page) => page.frameLocator('dialog iframe')

async function ready(page) {
  await page.locator('#submit:enabled').waitFor()
}

async function fill(page, number) {
  const form = page.frameLocator('#card iframe')
  await form.getByLabel('Card number').fill(number)
  await form.getByLabel('Expiration date').fill('1234')
  await form.getByLabel('Security code').fill('123')
}

async function pay(page, number) {
  await fill(page, number)
  await payButton(page).click()
}

async function says(page, title) {
  await page.locator('#status-title:visible, #alert-title:visible').filter({ hasText: title }).waitFor({ timeout: 20_000 })
}

const PAID = { charged: 1, cleeng: ['captured'] }

test('a card is charged, and a reload shows that', async () => {
  const { page, order, end, of } = await shop()
  await picture(page, 'checkout-form')
  await pay(page, VISA)
  await says(page, 'Payment received')
  await picture(page, 'checkout-paid')
  await happened(order, PAID)
  await page.reload()
  await says(page, 'Payment received')
  assert.equal(of(SUBMIT).length, 1)
  await end()
})

test('after a decline another card pays', async () => {
  const { page, order, end, of } = await shop()
  await pay(page, DECLINED)
  await says(page, 'There is not enough money on this card')
  await picture(page, 'checkout-declined')
  await happened(order, { charged: 0, cleeng: ['rejected'] })
  await pay(page, VISA)
  await says(page, 'Payment received')
  await happened(order, { charged: 1, cleeng: ['captured', 'rejected'] })
  assert.equal(new Set(of(SUBMIT).map(({ headers }) => headers['idempotency-key'])).size, 2)
  await end()
})

test('a card that is not right is told in the form, and nothing is sent', async () => {
  const { page, order, end, sent } = await shop({ allowed: [/402.*payment_methods/] })
  const form = page.frameLocator('#card iframe')
  await payButton(page).click()
  await form.getByText('Your card number is incomplete.').waitFor()
  await form.getByLabel('Card number').fill('4242 4242 4242 4241')
  await form.getByLabel('Security code').focus()
  await form.getByText('Your card number is invalid.').waitFor()
  await picture(page, 'checkout-invalid')
  await pay(page, '4000 0566 5566 5556')
  await says(page, 'Your card was not accepted')
  assert.deepEqual(sent, [])
  await happened(order, { charged: 0, cleeng: [] })
  await end()
})

test('3-D Secure: confirmed', async () => {
  const { page, order, end } = await shop()
  await pay(page, SECURE)
  const yes = bank(page).getByRole('button', { name: 'Yes, confirm' })
  await bank(page).getByText('€9.99').waitFor()
  await picture(page, 'checkout-challenge')
  assert.equal((await truth(order)).charged, 0)
  await yes.click()
  await says(page, 'Payment received')
  await happened(order, PAID)
  await end()
})

test('3-D Secure: refused, and then another card', async () => {
  const { page, order, end } = await shop()
  await pay(page, SECURE)
  await bank(page).getByRole('button', { name: 'No, refuse it' }).click()
  await says(page, 'Your bank could not confirm it was you')
  await happened(order, { charged: 0, cleeng: ['rejected'] })
  await pay(page, VISA)
  await says(page, 'Payment received')
  await happened(order, { charged: 1, cleeng: ['captured', 'rejected'] })
  await end()
})

test('3-D Secure: closed, opened again, and confirmed', async () => {
  const { page, order, end } = await shop()
  await pay(page, SECURE)
  await bank(page).getByRole('button', { name: 'Close without an answer' }).click()
  await page.getByRole('button', { name: 'Continue to your bank' }).waitFor()
  await picture(page, 'checkout-waits')
  await page.keyboard.press('Enter')
  await bank(page).getByRole('button', { name: 'Yes, confirm' }).click()
  await says(page, 'Payment received')
  await happened(order, PAID)
  await end()
})

test('3-D Secure: abandoned until time runs out, and paid anew', async () => {
  const { page, order, end } = await shop({ of: hasty })
  await pay(page, SECURE)
  await bank(page).getByRole('button', { name: 'Close without an answer' }).waitFor()
  await page.keyboard.press('Escape')
  await says(page, 'Time ran out')
  await happened(order, { charged: 0, cleeng: ['cancelled'] }, hasty)
  await pay(page, VISA)
  await says(page, 'Payment received')
  await happened(order, { charged: 1, cleeng: ['cancelled', 'captured'] }, hasty)
  await end()
})

test('3-D Secure on the bank’s own page: back by the button without an answer, then confirmed', async () => {
  const { page, order, end } = await shop({ query: '?bank=page' })
  await pay(page, SECURE)
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  await page.goBack()
  await page.getByRole('button', { name: 'Continue to your bank' }).click({ timeout: 20_000 })
  await page.getByRole('button', { name: 'Approve' }).click()
  await says(page, 'Payment received')
  await happened(order, PAID)
  await end()
})

test('a double click and the return key are one payment', async () => {
  const { page, order, end, of } = await shop()
  await slowly(500)
  await fill(page, VISA)
  await payButton(page).dblclick()
  await page.locator('#form').evaluate((form) => form.requestSubmit())
  await says(page, 'Payment received')
  await happened(order, PAID)
  assert.equal(of(SUBMIT).length, 1)
  await end()
})

test('a reload while the gateway is at it', async () => {
  const { page, order, end, of } = await shop({ allowed: [NET] })
  await slowly(1200)
  await pay(page, VISA)
  await says(page, 'Processing your payment')
  await picture(page, 'checkout-working')
  await page.reload()
  await says(page, 'Payment received')
  await happened(order, PAID)
  assert.equal(of(SUBMIT).length, 1)
  await end()
})

test('a reload in the middle of 3-D Secure', async () => {
  const { page, order, end } = await shop({ allowed: [NET] })
  await pay(page, SECURE)
  await bank(page).getByRole('button', { name: 'Yes, confirm' }).waitFor()
  await page.reload()
  await bank(page).getByRole('button', { name: 'Yes, confirm' }).click()
  await says(page, 'Payment received')
  await happened(order, PAID)
  await end()
})

for (const arrived of [false, true]) {
  test(`a reload before the answer came: the request had ${arrived ? '' : 'not '}arrived`, async () => {
    // The browser says which of its requests were refused: the key with another card, then the order that is taken.
    const { page, order, end, of } = await shop({ allowed: [NET, ...(arrived ? [/(422|409).*v1.payments/] : [])] })
    let isTried = false
    await page.route('**/v1/payments', async (route) => {
      if (arrived) await route.fetch()
      else await route.abort('connectionreset')
      isTried = true
    })
    await pay(page, VISA)
    await eventually('it was tried', () => isTried)
    await page.reload()
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await says(page, 'Your last try was interrupted')
    await picture(page, 'checkout-interrupted')
    await ready(page)
    await pay(page, arrived ? DECLINED : VISA)
    await says(page, 'Payment received')
    await happened(order, PAID)
    assert.equal(new Set(of(SUBMIT).map(({ headers }) => headers['idempotency-key'])).size, arrived ? 2 : 1)
    await end()
  })
}

for (const arrives of [false, true]) {
  test(`the connection breaks ${arrives ? 'after' : 'before'} the request arrives`, async () => {
    const { page, order, end, of } = await shop({ allowed: [NET] })
    let breaks = 2
    await page.route('**/v1/payments', async (route) => {
      if (breaks === 0) return route.continue()
      breaks -= 1
      if (arrives) await route.fetch()
      await route.abort('connectionreset')
    })
    await pay(page, VISA)
    await says(page, 'Payment received')
    await happened(order, PAID)
    const keys = of(SUBMIT).map(({ headers }) => headers['idempotency-key'])
    assert.equal(keys.length, 3)
    assert.equal(new Set(keys).size, 1)
    await end()
  })
}

test('the network is away before anything was sent', async () => {
  const { page, context, order, end, sent } = await shop({ allowed: [NET] })
  await fill(page, VISA)
  await context.setOffline(true)
  await payButton(page).click()
  await says(page, 'Your card was not accepted')
  assert.deepEqual(sent, [])
  await context.setOffline(false)
  await payButton(page).click()
  await says(page, 'Payment received')
  await happened(order, PAID)
  await end()
})

test('the network is away while the gateway is at it', async () => {
  const { page, context, order, end, of } = await shop({ allowed: [NET] })
  await slowly(1500)
  await page.route('**/events', (route) => route.abort('internetdisconnected'))
  await pay(page, VISA)
  await eventually('it was sent', () => of(SUBMIT).length === 1)
  await says(page, /Processing your payment|Your connection was interrupted/)
  await context.setOffline(true)
  await says(page, 'Your connection was interrupted')
  await picture(page, 'checkout-offline')
  await happened(order, PAID)
  await context.setOffline(false)
  await says(page, 'Payment received')
  assert.equal(of(SUBMIT).length, 1)
  await end()
})

test('where no event stream gets through the payment is polled', async () => {
  const { page, order, end, of } = await shop({ allowed: [NET] })
  await page.route('**/events', (route) => route.abort('connectionreset'))
  await pay(page, SECURE)
  await bank(page).getByRole('button', { name: 'Yes, confirm' }).click()
  await says(page, 'Payment received')
  await happened(order, PAID)
  assert.ok(of('GET /v1/payments/ID').length > 0)
  await end()
})

test('a connector that asks to wait is asked again', async () => {
  const { page, order, end, of } = await shop({ allowed: [/503/] })
  let refusals = 1
  await page.route('**/v1/payments', (route) => {
    if (refusals === 0) return route.continue()
    refusals -= 1
    const body = JSON.stringify({ type: 'urn:cleeng-connector:problem:overloaded', title: 'Too many payments wait', status: 503, detail: '' })
    return route.fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'retry-after': '1' }, body })
  })
  await pay(page, VISA)
  await says(page, 'We are busier than usual')
  await says(page, 'Payment received')
  await happened(order, PAID)
  assert.equal(of(SUBMIT).length, 2)
  await end()
})

test('the gateway charges and hangs up', async () => {
  const { page, order, end } = await shop()
  await knob('/_faults', { operation: 'stripe.confirm', fault: 'commit_then_drop' })
  await pay(page, VISA)
  await says(page, 'Payment received')
  await happened(order, PAID)
  await end()
})

test('two tabs that pay at once, and one that only looks', async () => {
  const { page, context, order, end, of } = await shop()
  const others = [await context.newPage(), await context.newPage()]
  for (const other of others) {
    await other.goto(page.url())
    await ready(other)
  }
  await slowly(600)
  await fill(page, VISA)
  await fill(others[0], VISA)
  // Not by the buttons: the second one would be gone before a click could reach it.
  await Promise.all([page, others[0]].map((tab) => tab.locator('#form').evaluate((form) => form.requestSubmit())))
  for (const tab of [page, ...others]) await says(tab, 'Payment received')
  await happened(order, PAID)
  assert.equal(of(SUBMIT).length, 1)
  await end()
})

test('back and forward after paying', async () => {
  const { page, order, end, of } = await shop()
  await pay(page, VISA)
  await says(page, 'Payment received')
  await page.goto(demo.url)
  await page.goBack()
  await says(page, 'Payment received')
  await happened(order, PAID)
  assert.equal(of(SUBMIT).length, 1)
  await end()
})

test('it is paid by keyboard alone', async () => {
  const { page, order, end } = await shop()
  await page.keyboard.press('Tab')
  await page.getByRole('link', { name: 'Skip to the payment' }).press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.type('4242424242424242')
  await page.keyboard.press('Tab')
  await page.keyboard.type('1234')
  await page.keyboard.press('Tab')
  await page.keyboard.type('123')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await says(page, 'Payment received')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'status-title')
  assert.match(await page.locator('#live').textContent(), /^Payment received/)
  await happened(order, PAID)
  await end()
})

for (const colorScheme of ['light', 'dark']) {
  test(`on a phone, ${colorScheme}: it fits, and nothing serious is found`, async () => {
    const { page, order, end } = await shop({ viewport: { width: 360, height: 740 }, colorScheme })
    const checked = async (name) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`)
      await picture(page, `checkout-phone-${colorScheme}-${name}`)
      assert.deepEqual(await seriousFindings(page), [], name)
      const frames = page.frames().filter((frame) => frame !== page.mainFrame())
      for (const frame of frames) {
        const found = await seriousFindings(frame)
        // The card's frame is transparent: by itself it does not know the dark that lies behind it.
        const isBlind = colorScheme === 'dark' && frame.url().endsWith('/card.html')
        assert.deepEqual(found.filter((one) => !isBlind || !one.startsWith('color-contrast')), [], `${name}, ${frame.url()}`)
      }
    }
    await checked('form')
    await pay(page, DECLINED)
    await says(page, 'There is not enough money')
    await checked('declined')
    await pay(page, SECURE)
    await bank(page).getByText('€9.99').waitFor()
    await checked('challenge')
    await bank(page).getByRole('button', { name: 'Close without an answer' }).click()
    await page.getByRole('button', { name: 'Continue to your bank' }).click()
    await bank(page).getByRole('button', { name: 'Yes, confirm' }).click()
    await says(page, 'Payment received')
    await checked('paid')
    await happened(order, { charged: 1, cleeng: ['captured', 'rejected'] })
    await end()
  })
}

test('nothing more happened to any of these orders', async () => {
  assert.ok(seen.length > 20)
  const last = new Map(seen.map((one) => [`${one.of.url} ${one.order}`, one]))
  for (const { order, expected, of } of last.values()) assert.deepEqual(await truth(order, of), expected, order)
})
