/** Runs the steps of a first login in advance, so that Node loads and compiles them while the secret is read. */
import { isIP } from 'node:net'
import type { Destination } from './source.ts'
import { tlsOptions } from './tls.ts'

let isDone = false

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
 * @param rehearsePg does what pg does in a login
 */
export function rehearseLogin(resolve: (secretString: string) => Destination, rehearsePg: () => Promise<void>): void {
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
  rehearsePg().catch(() => undefined)
}
