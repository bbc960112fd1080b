/** Writes certificates and keys to files for other clients, and again after a file was removed. */
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { ConnectionError } from '../base/connection-error.ts'
import { Password } from '../base/password.ts'
import type { ClientCertificate } from './client-certificate.ts'
import type { RootCertificate } from './root-certificate.ts'

/** The folder of each file, by its text. */
const folders = new Map<string, string>()

/** False when the folder was removed: another user may have made what is there now, a link for example. */
function isOurs(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === (process.geteuid?.() ?? found.uid)
}

function removeFolders(): void {
  for (const folder of folders.values()) if (isOurs(folder)) rmSync(folder, { recursive: true, force: true })
}

/** A folder that no other user can write to. */
function folderOf(pem: string): string {
  const known = folders.get(pem)
  if (known !== undefined && isOurs(known)) return known
  const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-'))
  if (folders.size === 0) process.once('exit', removeFolders)
  folders.set(pem, folder)
  return folder
}

function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text
  } catch {
    return false
  }
}

/** What Node verifies with: its own roots, the system's if Node is set to use them, NODE_EXTRA_CA_CERTS. */
function nodeRoots(): readonly string[] {
  // Node 22 has it since 22.15.
  return tls.getCACertificates?.('default') ?? tls.rootCertificates
}

/** @throws ConnectionError `ERR_TLS` when the file cannot be written */
function writtenFile(name: string, pem: string, what: string, setting: string): string {
  try {
    const file = join(folderOf(pem), name)
    // libpq refuses a key that others may read.
    if (!holds(file, pem)) writeFileSync(file, pem, { mode: 0o600 })
    return file
  } catch (cause) {
    throw new ConnectionError('ERR_TLS', `the ${what} cannot be written to ${tmpdir()}`, {
      cause,
      hint: `Set TMPDIR to a writable folder, or name a file in ${setting}.`,
      safeToRetry: true,
    })
  }
}

/**
 * A path for libpq-like clients, whose content is what this package verifies with. PEM text and Node's own roots are
 * written to the temporary folder: `system` is a file's name for pg, and for libpq before 16.
 *
 * @throws ConnectionError `ERR_TLS` when the file cannot be written
 */
export function rootCertificatePath({ path, ca }: RootCertificate): string {
  if (path !== undefined) return path
  const pem = `${(ca ?? nodeRoots()).map((certificate) => certificate.trim()).join('\n')}\n`
  return writtenFile('root.crt', pem, 'root certificate', 'sslrootcert')
}

/**
 * Paths for libpq-like clients, none of which takes PEM text: text is written to the temporary folder, and so is the
 * key of a file that libpq would refuse.
 *
 * @throws ConnectionError `ERR_TLS` when a file cannot be written
 */
export function clientCertificatePaths({ cert, key, certPath, keyPath }: ClientCertificate): {
  sslcert: string
  sslkey: Password
} {
  return {
    sslcert: certPath ?? writtenFile('client.crt', cert, 'client certificate', 'sslcert'),
    sslkey: new Password(keyPath ?? writtenFile('client.key', `${key.reveal()}\n`, 'private key', 'sslkey')),
  }
}
