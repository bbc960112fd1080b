/** Runs ahead what a first login makes Node load and compile, in the time that the secret takes to come. */
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'

let isDone = false

/** The steps of SCRAM-SHA-256 as pg takes them, with nobody's password. */
async function rehearseScram(): Promise<void> {
  const { subtle } = webcrypto
  const key = await subtle.importKey('raw', new Uint8Array(1), 'PBKDF2', false, ['deriveBits'])
  const params = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(1), iterations: 1 }
  const bits = await subtle.deriveBits(params, key, 256)
  const mac = await subtle.importKey('raw', bits, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  await subtle.digest('SHA-256', await subtle.sign('HMAC', mac, bits))
}

/** Once for a process; what goes wrong is nobody's business, since nothing depends on it. */
export function rehearseLogin(): void {
  if (isDone) return
  isDone = true
  // The expression for IPv6 addresses takes milliseconds to compile, and every connection by name asks it.
  isIP('name.invalid')
  createSecureContext({ ca: [] })
  rehearseScram().catch(() => undefined)
}
