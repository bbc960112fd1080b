/** Reads the files of certificates and keys. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { ConnectionError } from '../base/connection-error.ts'

/** Four times the size of all certificates that a system trusts. */
const LONGEST_FILE_BYTES = 1024 * 1024

/** `~` and `$HOME` as a shell reads them; neither libpq nor pg does. */
export function expandHome(path: string, home: string | undefined): string {
  return home === undefined ? path : path.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, () => home)
}

/**
 * The text of a regular file. Anything else could block the process, or never end; opened without blocking, since
 * opening a named pipe without a writer blocks.
 *
 * @param unusable makes the error, of what follows the file's name; `cause` is Node's, which names the path
 */
export function readRegularFile(
  path: string,
  unusable: (found: string, cause?: unknown) => ConnectionError,
): { text: string; stat: Stats } {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = fstatSync(file)
    if (!stat.isFile()) throw unusable(' is not a regular file')
    if (stat.size > LONGEST_FILE_BYTES) throw unusable(` has ${stat.size} bytes`)
    const bytes = Buffer.alloc(stat.size)
    return { text: bytes.toString('utf8', 0, readSync(file, bytes)), stat }
  } catch (cause) {
    if (cause instanceof ConnectionError) throw cause
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw unusable(` cannot be read: ${reason}`, cause)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
