// A stand-in for Stripe.js with its names and result shapes, as far as a shop needs them that makes a payment method in the
// browser and hands only its id to its server. Card data stays in a frame of this origin, as with the real one.
//
// Stripe(publishableKey) has elements(), createPaymentMethod() and handleNextAction(). Elements of the types `payment` and
// `card` are the same form here.

(() => {
  'use strict'

  const HOME = new URL('../', document.currentScript.src)
  const SHEET = `
    .stripe-stand-in-frame { display: block; width: 100%; height: 0; border: 0; background: transparent; color-scheme: inherit; }
    .stripe-stand-in-dialog { box-sizing: border-box; width: min(420px, calc(100vw - 24px)); max-height: calc(100vh - 24px); padding: 0; border: 0;
      border-radius: 16px; overflow: auto; background: transparent; box-shadow: 0 24px 80px rgb(0 0 0 / 35%); }
    .stripe-stand-in-dialog::backdrop { background: rgb(15 20 35 / 60%); }`
  // A sheet that is made by script needs no leave of the page's policy, unlike a style element.
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(SHEET)
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]

  /** A page of ours inside the shop's, and questions to it over a channel that nobody else hears. */
  class Frame {
    #port = null
    #asked = new Map()
    #hear
    #connected

    constructor(path, title, hear) {
      this.#hear = hear
      this.node = document.createElement('iframe')
      this.node.className = 'stripe-stand-in-frame'
      this.node.title = title
      this.node.src = new URL(path, HOME).href
      this.#connected = new Promise((connect) => {
        this.node.addEventListener('load', () => {
          const { port1, port2 } = new MessageChannel()
          this.#port = port1
          port1.onmessage = ({ data }) => this.#take(data)
          this.node.contentWindow.postMessage('connect', HOME.origin, [port2])
          connect()
        })
      })
    }

    async ask(name, params) {
      await this.#connected
      const id = crypto.randomUUID()
      const answer = new Promise((resolve) => this.#asked.set(id, resolve))
      this.#port.postMessage({ id, name, params })
      return answer
    }

    #take({ id, result, event, detail }) {
      if (event === 'resize') this.node.style.height = `${detail.height}px`
      else if (event) this.#hear?.(event, detail)
      this.#asked.get(id)?.(result)
      this.#asked.delete(id)
    }
  }

  class Element {
    #listeners = []
    #frame = null
    #options

    constructor(type, options) {
      this.type = type
      this.#options = options
    }

    mount(target) {
      const place = typeof target === 'string' ? document.querySelector(target) : target
      if (!place) throw new Error(`Invalid value for mount(): there is no element ${target}.`)
      this.unmount()
      this.#frame = new Frame('card.html', 'Secure payment input frame', (event, detail) => this.#tell(event, detail))
      place.replaceChildren(this.#frame.node)
      this.#frame.ask('show', this.#options).then(() => this.#tell('ready', {}))
    }

    unmount() {
      this.#frame?.node.remove()
      this.#frame = null
    }

    destroy() {
      this.unmount()
    }

    on(event, listener) {
      this.#listeners.push({ event, listener })
      return this
    }

    off(event, listener) {
      this.#listeners = this.#listeners.filter((one) => one.event !== event || (listener && one.listener !== listener))
      return this
    }

    update(options) {
      this.#options = { ...this.#options, ...options }
      this.#frame?.ask('show', this.#options)
    }

    focus() {
      this.#frame?.node.focus()
      this.#frame?.ask('focus')
    }

    clear() {
      this.#frame?.ask('clear')
    }

    /** What the other parts of this script ask of the form. */
    ask(name, params) {
      if (!this.#frame) throw new Error('This Element is not mounted.')
      return this.#frame.ask(name, params)
    }

    #tell(event, detail) {
      for (const one of this.#listeners.filter((one) => one.event === event)) one.listener({ elementType: this.type, ...detail })
    }
  }

  class Elements {
    #options
    #made = new Map()
    isSubmitted = false

    constructor(options) {
      this.#options = options
    }

    create(type, options = {}) {
      if (type !== 'payment' && type !== 'card') throw new Error(`The stand-in has no Element of the type ${type}.`)
      if (this.#made.has(type)) throw new Error(`Can only create one Element of type ${type} through the same group of Elements.`)
      const element = new Element(type, { appearance: this.#options.appearance, ...options })
      element.on('change', () => (this.isSubmitted = false))
      this.#made.set(type, element)
      return element
    }

    getElement(type) {
      return this.#made.get(type) ?? null
    }

    update(options) {
      this.#options = { ...this.#options, ...options }
      for (const element of this.#made.values()) element.update({ appearance: this.#options.appearance })
    }

    async submit() {
      const result = await this.form().ask('submit')
      this.isSubmitted = !result.error
      return result
    }

    form() {
      const [element] = this.#made.values()
      if (!element) throw new Error('There is no Element to submit.')
      return element
    }
  }

  /** Shows the bank's question until the payer answers it or leaves it. */
  async function authenticate(key, clientSecret) {
    const dialog = document.createElement('dialog')
    dialog.className = 'stripe-stand-in-dialog'
    dialog.setAttribute('aria-label', 'Your bank asks you to confirm the payment')
    const frame = new Frame('challenge.html', 'Your bank’s question')
    dialog.append(frame.node)
    document.body.append(dialog)
    // The frame hides it; a browser may close it all the same when the key is pressed again.
    dialog.addEventListener('cancel', (event) => event.preventDefault())
    for (const event of ['cancel', 'close']) dialog.addEventListener(event, () => frame.ask('leave'))
    try {
      dialog.showModal()
      frame.node.focus()
      return await frame.ask('authenticate', { key, clientSecret })
    } finally {
      dialog.close()
      dialog.remove()
    }
  }

  window.Stripe = function Stripe(key) {
    if (typeof key !== 'string' || !key.startsWith('pk_')) throw new Error('Please call Stripe() with your publishable key.')
    return {
      elements: (options = {}) => new Elements(options),
      async createPaymentMethod({ elements, type, card, params = {}, billing_details: billing }) {
        if (elements && !elements.isSubmitted) {
          throw new Error('elements.submit() must be called before stripe.createPaymentMethod().')
        }
        if (!elements && (type !== 'card' || !card)) throw new Error('createPaymentMethod() needs elements, or the type card and a card Element.')
        const form = elements ? elements.form() : card
        return form.ask('tokenize', { key, billing: params.billing_details ?? billing ?? {} })
      },
      async handleNextAction({ clientSecret }) {
        if (typeof clientSecret !== 'string') throw new Error('handleNextAction() needs the clientSecret of an intent.')
        return authenticate(key, clientSecret)
      },
    }
  }
})()
