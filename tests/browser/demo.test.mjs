// The demo's page: the first thing that a new user sees.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { books, openBrowser, openPage, picture, seriousFindings, startDemo } from './harness.mjs'

let demo
let browser
before(async () => {
  ;[demo, browser] = await Promise.all([startDemo(), openBrowser()])
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

const CASES = [
  ['Approved', 'Captured', 1],
  ['Declined', 'Declined', 0],
  ['Charged, then silence', 'Captured', 1],
]

for (const gateway of ['Stripe', 'Simulated']) {
  for (const [name, ends, charges] of CASES) {
    test(`${gateway}: ${name} ends as ${ends}`, async () => {
      const { page, context, faults } = await openPage(browser, { viewport: { width: 1280, height: 900 } })
      await page.goto(demo.url)
      await page.getByText(gateway, { exact: true }).click()
      await page.getByText(name, { exact: true }).click()
      await page.getByRole('button', { name: /^Pay/ }).click()
      await page.locator('#status').filter({ hasText: new RegExp(`^${ends}$`) }).waitFor()
      await page.locator('#proof').filter({ hasText: /\S/ }).waitFor()
      await picture(page, `demo-${gateway}-${ends}`)
      assert.equal(await timesCharged(page), charges)
      assert.deepEqual(faults(), [])
      await context.close()
    })
  }
}

/** How often the gateway took the money of the payment that the page shows. */
async function timesCharged(page) {
  const [{ paymentId }] = await page.evaluate(() => JSON.parse(sessionStorage.getItem('demo.attempts')))
  const { moneyMoved } = await books(demo, `reference=${paymentId}`)
  return moneyMoved[paymentId]
}

test('the page fits a phone and has no serious finding, light and dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, context, faults } = await openPage(browser, { viewport: { width: 360, height: 740 }, colorScheme })
    await page.goto(demo.url)
    await page.getByRole('button', { name: /^Pay/ }).waitFor()
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wide <= 0, `${wide} pixels too wide`)
    await picture(page, `demo-phone-${colorScheme}`)
    assert.deepEqual(await seriousFindings(page), [])
    assert.deepEqual(faults(), [])
    await context.close()
  }
})
