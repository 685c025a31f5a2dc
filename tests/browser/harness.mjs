// What the tests of pages share: the demo as a process of its own, and a headless Chromium.
//
// CONNECTOR_BIN names the executable, CHROMIUM the browser (default: the first of `chromium`, `chromium-browser`,
// `google-chrome` on the PATH). SCREENSHOTS names a folder that pictures are written to, if a person wants to look.

import { spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

const START_WITHIN = 60_000
const STOP_WITHIN = 30_000
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A loopback port that nobody has at this moment, below those that the kernel gives to outgoing connections. */
export async function freePort() {
  for (;;) {
    const port = 20000 + Math.floor(Math.random() * 12000)
    const free = await new Promise((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}

/**
 * Starts the executable with these arguments and waits until its output matches `ready`.
 * The result's `stop` sends SIGTERM and fails if the process did not end well within 30 s.
 */
export async function start(args, { env = {}, ready }) {
  const bin = process.env.CONNECTOR_BIN
  if (!bin) throw new Error('CONNECTOR_BIN must name the executable: cargo build, then target/debug/cleeng-connector')
  const child = spawn(bin, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
  const matched = new Promise((resolve, reject) => {
    const hear = (chunk) => {
      output += chunk
      const found = ready.exec(output)
      if (found) resolve(found)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', reject)
    ended.then((code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${output}`)))
    setTimeout(() => reject(new Error(`${args.join(' ')} is not ready after 60 s:\n${output}`)), START_WITHIN).unref()
  })
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN)
    const code = await ended
    clearTimeout(late)
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${output}`)
  }
  try {
    return { match: await matched, stop, output: () => output }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

/** The demo on free ports: `url` of its page and public API, `ops` of the operators' port, `simulator` of the outside. */
export async function startDemo(args = [], env = {}) {
  const port = await freePort()
  const opsPort = await freePort()
  const all = ['demo', `--port=${port}`, `--ops-port=${opsPort}`, ...args]
  const demo = await start(all, { env, ready: /Open\s+(http:\S+)[\s\S]*simulated Cleeng \(on (http:[^\s)]+?)\/?\)[\s\S]*Ctrl-C/ })
  return { ...demo, url: demo.match[1], ops: `http://127.0.0.1:${opsPort}`, simulator: demo.match[2] }
}

function browserProgram() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // Not in this folder.
      }
    }
  }
  throw new Error('no Chromium on the PATH: install one (Debian: apt-get install chromium) or name it with CHROMIUM')
}

/** A headless Chromium. As root it cannot have its sandbox; it only ever opens pages of ours. */
export async function openBrowser() {
  return chromium.launch({ executablePath: browserProgram(), chromiumSandbox: process.getuid() !== 0 })
}

/**
 * A page in a context of its own, with `faults()`: what a page must not do, collected from its first moment on: errors on
 * the console, uncaught exceptions, requests to anything but loopback. `options` are those of Playwright's `newContext`.
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext(options)
  const faults = []
  context.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => faults.push(`uncaught: ${error.error()}`))
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') faults.push(`outside: ${request.url()}`)
  })
  const page = await context.newPage()
  return { page, context, faults: () => faults }
}

/** What axe-core finds on the page that is serious or critical, one text for each. */
export async function seriousFindings(page) {
  // Not by a script element: the page's own policy would rightly refuse that.
  await page.evaluate(axeSource)
  const { violations } = await page.evaluate(() => globalThis.axe.run())
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`)
}

/** Tries until `check` gives something true, at most 20 s. */
export async function eventually(what, check) {
  const end = Date.now() + 20_000
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > end) throw new Error(`not within 20 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The simulators' own books, what really happened: `GET /_ledger`, narrowed down by `query`. */
export async function books({ simulator }, query = '') {
  return (await fetch(`${simulator}/_ledger?${query}`)).json()
}

/** Writes a picture of the page when SCREENSHOTS names a folder. */
export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
