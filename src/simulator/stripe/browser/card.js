// The card's form, inside the frame: checks what is typed, and makes a payment method of it. Nothing of it leaves the frame but that.

import { ask, listen } from './channel.js'

const field = (id) => document.getElementById(id)
const digits = (id) => field(id).value.replace(/\D/g, '')

const fault = (code, message) => ({ type: 'validation_error', code, message })
const CHECKS = {
  number(value) {
    if (value.length < 13 || (value.length < 16 && !isAmex(value))) return fault('incomplete_number', 'Your card number is incomplete.')
    return isLuhn(value) ? null : fault('invalid_number', 'Your card number is invalid.')
  },
  expiry(value) {
    if (value.length < 4) return fault('incomplete_expiry', 'Your card’s expiration date is incomplete.')
    const { month, year } = expiry()
    const now = new Date()
    if (month < 1 || month > 12) return fault('invalid_expiry_month', 'Your card’s expiration month is invalid.')
    if (year < now.getFullYear()) return fault('invalid_expiry_year_past', 'Your card’s expiration year is in the past.')
    const isPast = year === now.getFullYear() && month < now.getMonth() + 1
    return isPast ? fault('invalid_expiry_month_past', 'Your card’s expiration date is in the past.') : null
  },
  cvc(value) {
    return value.length < (isAmex(digits('number')) ? 4 : 3) ? fault('incomplete_cvc', 'Your card’s security code is incomplete.') : null
  },
}
const IDS = Object.keys(CHECKS)

function isAmex(number) {
  return /^3[47]/.test(number)
}

function brandOf(number) {
  if (isAmex(number)) return 'Amex'
  if (number.startsWith('4')) return 'Visa'
  return /^(5[1-5]|2[2-7])/.test(number) ? 'Mastercard' : ''
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function isLuhn(number) {
  const doubled = (digit) => (digit > 4 ? digit * 2 - 9 : digit * 2)
  const sum = [...number].reverse().reduce((sum, digit, place) => sum + (place % 2 ? doubled(Number(digit)) : Number(digit)), 0)
  return sum % 10 === 0
}

function expiry() {
  const value = digits('expiry')
  return { month: Number(value.slice(0, 2)), year: 2000 + Number(value.slice(2, 4)) }
}

const faultOf = (id) => CHECKS[id](digits(id))

function show(id, found) {
  field(`${id}-error`).textContent = found?.message ?? ''
  if (found) field(id).setAttribute('aria-invalid', 'true')
  else field(id).removeAttribute('aria-invalid')
}

function check() {
  const faults = IDS.map((id) => [id, faultOf(id)])
  for (const [id, found] of faults) show(id, found)
  const first = faults.find(([, found]) => found)
  if (!first) return {}
  field(first[0]).focus()
  return { error: first[1] }
}

/** Digits in groups; what stands behind the caret stays behind it. */
function format(input, shape) {
  const behind = input.value.slice(input.selectionStart).replace(/\D/g, '').length
  input.value = shape(input.value.replace(/\D/g, ''))
  let place = input.value.length
  for (let left = behind; left > 0 && place > 0; place -= 1) if (/\d/.test(input.value[place - 1])) left -= 1
  if (document.activeElement === input) input.setSelectionRange(place, place)
}

const SHAPES = {
  number: (value) => (isAmex(value) ? value.slice(0, 15).replace(/^(\d{4})(\d{1,6})?(\d{1,5})?.*/, (_, ...parts) => parts.slice(0, 3).filter(Boolean).join(' ')) : value.slice(0, 19).replace(/(\d{4})(?=\d)/g, '$1 ')),
  expiry: (value) => (/^[2-9]/.test(value) ? `0${value}` : value).slice(0, 4).replace(/^(\d\d)(?=\d)/, '$1 / '),
  cvc: (value) => value.slice(0, 4),
}

const tell = listen({
  show({ appearance }) {
    const variables = appearance?.variables ?? {}
    for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(`--${name}`, value)
    document.documentElement.dataset.theme = appearance?.theme ?? 'stripe'
    return {}
  },
  focus() {
    field('number').focus()
    return {}
  },
  clear() {
    field('card').reset()
    for (const id of IDS) show(id, null)
    return {}
  },
  submit: check,
  async tokenize({ key, billing }) {
    const checked = check()
    if (checked.error) return checked
    const { month, year } = expiry()
    const body = { type: 'card', 'card[number]': digits('number'), 'card[cvc]': digits('cvc'), 'card[exp_month]': month, 'card[exp_year]': year }
    if (billing.name) body['billing_details[name]'] = billing.name
    const answer = await ask(key, 'payment_methods', body)
    return answer.error ? { error: answer.error } : { paymentMethod: answer }
  },
})

for (const id of IDS) {
  const input = field(id)
  input.addEventListener('input', () => {
    format(input, SHAPES[id])
    if (id === 'number') field('brand').textContent = brandOf(digits('number'))
    if (!faultOf(id)) show(id, null)
    const complete = IDS.every((one) => !faultOf(one))
    tell('change', { empty: IDS.every((one) => !digits(one)), complete, collapsed: false, value: { type: 'card' } })
  })
  input.addEventListener('blur', () => input.value && show(id, faultOf(id)))
}
field('card').addEventListener('submit', (event) => {
  event.preventDefault()
  check()
})
