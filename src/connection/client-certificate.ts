/** Reads the client certificate and its private key, with which a user logs in instead of a password. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Stats } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { ConnectionError } from '../base/connection-error.ts'
import { Password } from '../base/password.ts'
import { shown } from '../base/refusal.ts'
import { isPem, pemBlocks } from '../connection-string/pem.ts'
import type { Platform } from '../settings/settings.ts'
import { expandHome, readRegularFile } from './regular-file.ts'

/** A path or PEM text, and what named it: `option`, `secret`, the variable. */
interface Found<Value> {
  readonly value: Value
  readonly origin: string
}

/** Each from the first origin that has it: what is checked is that they belong together, not where they are from. */
export interface ClientCertificateSetting {
  readonly sslcert?: Found<string> | undefined
  readonly sslkey?: Found<Password> | undefined
}

export interface ClientCertificate {
  /** The certificate itself. */
  readonly leaf: X509Certificate
  /** PEM: the certificate itself, then those between it and its root. */
  readonly cert: string
  /** PEM. */
  readonly key: Password
  /** The files, where libpq takes them as they are. */
  readonly certPath: string | undefined
  readonly keyPath: string | undefined
}

/** Of a path that may be shown: other text in its place may be the key. */
const PATH = /\.(?:key|pem|crt|cer)$/

function refusal(message: string): ConnectionError {
  return new ConnectionError('ERR_TLS', message, {
    hint: 'Set sslcert to a certificate and sslkey to its private key, decrypted: paths, or PEM text.',
    safeToRetry: true,
  })
}

/** True for a file that libpq takes. @see https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-CLIENTCERT */
function isPrivate({ mode, uid }: Stats): boolean {
  return process.platform === 'win32' || (mode & (uid === 0 ? 0o037 : 0o077)) === 0
}

interface PemSetting {
  /** For messages: the keyword, its path if it is one, and its origin. */
  readonly name: string
  readonly path: string | undefined
  /** PEM of what was looked for, one at least. */
  readonly blocks: readonly string[]
}

/** @param noun ends the labels of what is looked for */
function readPem(
  keyword: string,
  value: string,
  origin: string,
  noun: 'CERTIFICATE' | 'PRIVATE KEY',
  { home, isLambda }: Platform,
): PemSetting {
  let name = `${keyword} (${origin})`
  let path: string | undefined
  let text = value
  if (!isPem(value)) {
    name = `${keyword} ${shown(value, PATH)} (${origin})`
    path = expandHome(value, home)
    // Without the cause, which names the path.
    const file = readRegularFile(path, (found) => refusal(`${name}${found}`))
    text = file.text
    if (noun === 'PRIVATE KEY' && !isPrivate(file.stat)) {
      // In Lambda nobody else can read files, and a deployment makes them readable by all.
      if (!isLambda)
        throw refusal(`${name} may be read by others (mode ${(file.stat.mode & 0o777).toString(8)}): chmod 600 it`)
      path = undefined
    }
  }
  const all = pemBlocks(text)
  const blocks = all.filter(({ label }) => label.endsWith(noun)).map(({ pem }) => pem)
  if (blocks.length > 0) return { name, path, blocks }
  const found = all.map(({ label }) => label).join(', ')
  throw refusal(`${name} holds no ${noun}, but ${found || `${text.length} characters`}`)
}

/**
 * The certificate to log in with; undefined without one.
 *
 * @throws ConnectionError `ERR_TLS` for one without a key, and for what cannot be read or does not belong together.
 */
export function readClientCertificate(
  { sslcert, sslkey }: ClientCertificateSetting,
  platform: Platform,
): ClientCertificate | undefined {
  if (sslcert === undefined || sslkey === undefined) {
    const alone = sslcert ?? sslkey
    if (alone === undefined) return undefined
    const [one, other] = alone === sslcert ? ['sslcert', 'sslkey'] : ['sslkey', 'sslcert']
    throw refusal(`${one} (${alone.origin}) has no ${other}`)
  }
  const certificate = readPem('sslcert', sslcert.value, sslcert.origin, 'CERTIFICATE', platform)
  const privateKey = readPem('sslkey', sslkey.value.reveal(), sslkey.origin, 'PRIVATE KEY', platform)
  const [key = ''] = privateKey.blocks
  // In both forms: of PKCS #8 in the label, of the older ones in a header.
  if (key.includes('ENCRYPTED')) throw refusal(`${privateKey.name} is encrypted`)
  const names = `${privateKey.name} and ${certificate.name}`
  try {
    const certificates = certificate.blocks.map((pem) => new X509Certificate(pem))
    const keyObject = createPrivateKey(key)
    const leaf = certificates.find((each) => each.checkPrivateKey(keyObject))
    if (leaf === undefined) throw new Error('they are no pair')
    const cert = [leaf, ...certificates.filter((each) => each !== leaf)].join('')
    // Refuses what is too weak for OpenSSL.
    createSecureContext({ cert, key })
    return { leaf, cert, key: new Password(key), certPath: certificate.path, keyPath: privateKey.path }
  } catch (cause) {
    throw refusal(`${names} cannot be used: ${cause instanceof Error ? cause.message : 'unknown'}`)
  }
}
