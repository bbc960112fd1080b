/** Runs the steps of a first login in advance, so that Node loads and compiles them while the secret is read. */
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type { Destination } from './source.ts'
import { tlsOptions } from './tls.ts'

/** Set by the layer's build: its copy of pg computes SCRAM with what has run by then, and nobody instruments it. */
declare const IN_LAYER: true | undefined

let isDone = false

/** The steps of SCRAM-SHA-256 as pg takes them with Web Crypto, with a made-up password. */
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
 * Once for each process. Errors are ignored: options and environment may contradict a secret that is made up.
 *
 * @param resolve turns the text of a secret into a destination
 * @param runStatement runs one for no server
 */
export function rehearseLogin(resolve: (secretString: string) => Destination, runStatement: () => Promise<void>): void {
  if (isDone) return
  isDone = true
  // The expression for IPv6 addresses takes milliseconds to compile, in part at its second use, and every host name is compared with it.
  isIP('name.invalid')
  isIP('name.invalid')
  try {
    const { parameters, rootCertificate } = resolve(MADE_UP_SECRET)
    // What it makes is kept for the login, unless the secret has other root certificates.
    tlsOptions(parameters.sslmode, rootCertificate.ca)
  } catch {}
  const other = typeof IN_LAYER === 'undefined' ? rehearseScram : runStatement
  other().catch(() => undefined)
}
