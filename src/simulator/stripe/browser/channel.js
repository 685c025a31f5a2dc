// The frames' end of the channel to the script in the shop's page: the first one that is offered counts.

/** `answers` has a function for each question; what it returns is the answer. Returns how to tell of events. */
export function listen(answers) {
  let port = null
  const tell = (event, detail) => port?.postMessage({ event, detail })
  const height = () => tell('resize', { height: Math.ceil(document.documentElement.getBoundingClientRect().height) })
  window.addEventListener('message', ({ data, ports, source }) => {
    if (port || data !== 'connect' || source !== window.parent || !ports[0]) return
    port = ports[0]
    port.onmessage = async ({ data: { id, name, params } }) => port.postMessage({ id, result: await answers[name](params) })
    new ResizeObserver(height).observe(document.documentElement)
  })
  return tell
}

/** Asks Stripe's API as its script does, by the publishable key. */
export async function ask(key, path, body) {
  const init = { headers: { authorization: `Bearer ${key}` } }
  if (body) Object.assign(init, { method: 'POST', body: new URLSearchParams(body) })
  try {
    const response = await fetch(new URL(`../v1/${path}`, location.href), init)
    return await response.json()
  } catch {
    const message = 'We are experiencing issues connecting to our payments provider. You have not been charged. Please check your internet connection and try again.'
    return { error: { type: 'api_connection_error', message } }
  }
}
