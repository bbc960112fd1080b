/** Runs the steps of a first login in advance, so that Node loads and compiles them while the secret is read. */
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { Destination } from './source.ts'

let isDone = false

/** The steps of SCRAM-SHA-256 as pg takes them, with a made-up password. */
async function rehearseScram(): Promise<void> {
  const { subtle } = webcrypto
  const key = await subtle.importKey('raw', new Uint8Array(1), 'PBKDF2', false, ['deriveBits'])
  const params = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(1), iterations: 1 }
  const bits = await subtle.deriveBits(params, key, 256)
  const mac = await subtle.importKey('raw', bits, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  await subtle.digest('SHA-256', await subtle.sign('HMAC', mac, bits))
}

/** In the form of the secrets that Secrets Manager itself makes for databases. */
const MADE_UP_SECRET = JSON.stringify({
  username: 'user',
  password: 'password',
  host: 'cluster-1234.abc.region.cockroachlabs.cloud',
  port: 26257,
  dbname: 'database',
})

/**
 * Once for each process. Errors are ignored, since no result is used.
 *
 * @param resolve turns the text of a secret into a destination
 */
export function rehearseLogin(resolve: (secretString: string) => Destination): void {
  if (isDone) return
  isDone = true
  // The expression for IPv6 addresses takes milliseconds to compile, in part at its second use, and every host name is compared with it.
  isIP('name.invalid')
  isIP('name.invalid')
  createSecureContext({ ca: rootsOf(resolve) })
  rehearseScram().catch(() => undefined)
}

/** The root certificates, unless the secret has others; Node's own are left out, since reading them takes long. */
function rootsOf(resolve: (secretString: string) => Destination): string[] {
  try {
    return [...(resolve(MADE_UP_SECRET).rootCertificate.ca ?? [])]
  } catch {
    // Options and environment may contradict a secret that is made up.
    return []
  }
}
