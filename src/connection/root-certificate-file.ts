/** Writes the root certificate to a file for other clients, and again after the file was removed. */
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { ConnectionError } from '../base/connection-error.ts'
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

/**
 * A path for libpq-like clients, whose content is what this package verifies with. PEM text and Node's own roots are
 * written to the temporary folder: `system` is a file's name for pg, and for libpq before 16.
 *
 * @throws ConnectionError `ERR_TLS` when the file cannot be written
 */
export function rootCertificatePath({ path, ca }: RootCertificate): string {
  if (path !== undefined) return path
  const pem = `${(ca ?? nodeRoots()).map((certificate) => certificate.trim()).join('\n')}\n`
  try {
    const file = join(folderOf(pem), 'root.crt')
    if (!holds(file, pem)) writeFileSync(file, pem)
    return file
  } catch (cause) {
    throw new ConnectionError('ERR_TLS', `the root certificate cannot be written to ${tmpdir()}`, {
      cause,
      hint: 'Set TMPDIR to a writable folder, or name a file in sslrootcert.',
      safeToRetry: true,
    })
  }
}
