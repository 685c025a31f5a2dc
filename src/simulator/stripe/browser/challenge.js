// The bank's question in its frame: yes, no, or closed without an answer, which leaves the payment waiting.

import { ask, listen } from './channel.js'

const button = (id) => document.getElementById(id)

function failure(intent) {
  const kind = intent.object
  return {
    type: 'invalid_request_error',
    code: `${kind}_authentication_failure`,
    message: 'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
    [kind]: intent,
  }
}

function amountOf({ amount, currency }) {
  if (!amount) return 'Nothing is charged'
  const format = new Intl.NumberFormat('en', { style: 'currency', currency })
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits)
}

/** The first button that is pressed; to leave is possible from the start. */
const chosen = new Promise((resolve) => {
  for (const id of ['approve', 'decline', 'leave']) button(id).addEventListener('click', () => resolve(id))
  addEventListener('keydown', (event) => event.key === 'Escape' && resolve('leave'))
})

async function authenticate({ key, clientSecret }) {
  const id = clientSecret.split('_secret_')[0]
  const kind = id.startsWith('seti_') ? 'setup_intents' : 'payment_intents'
  const read = () => ask(key, `${kind}/${id}?client_secret=${encodeURIComponent(clientSecret)}`)
  const done = (intent) => ({ [intent.object === 'setup_intent' ? 'setupIntent' : 'paymentIntent']: intent })
  const intent = await read()
  if (intent.error) return { error: intent.error }
  if (intent.status !== 'requires_action') return done(intent)
  button('amount').textContent = amountOf(intent)
  for (const id of ['approve', 'decline']) button(id).disabled = false
  button('approve').focus()
  const answer = await chosen
  for (const id of ['approve', 'decline', 'leave']) button(id).disabled = true
  if (answer === 'leave') return { error: failure(intent) }
  await fetch(new URL(`../3ds/${id}/${answer}`, location.href), { method: 'POST' }).catch(() => null)
  const after = await read()
  if (after.error) return { error: after.error }
  return after.status === 'requires_action' || after.status === 'requires_payment_method' ? { error: failure(after) } : done(after)
}

listen({
  authenticate,
  leave() {
    button('leave').click()
    return {}
  },
})
