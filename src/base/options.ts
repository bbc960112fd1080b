/** Checks the options of one call: `query()`, `transaction()`. */
import { ConnectionError } from './connection-error.ts'
import { nearest } from './nearest.ts'
import { isName, shownName } from './refusal.ts'

/** What is wrong with an option's name; the nearest known one is told when the text can be a name. */
export function unknownOption(name: string, known: readonly string[]): string {
  const meant = isName(name) ? `; did you mean "${nearest(name, known)}"?` : ''
  return `unknown option ${shownName(name)}${meant}`
}

/** @param caller for example `query()` */
export function wrongOption(caller: string, message: string): ConnectionError {
  return new ConnectionError('ERR_CONFIG', message, { hint: `Correct the options of ${caller}.`, safeToRetry: true })
}

/**
 * Refuses what is not an object, and names that are not known.
 *
 * @throws ConnectionError `ERR_CONFIG`
 */
export function refuseUnknownOptions(options: unknown, known: readonly string[], caller: string): void {
  if (typeof options !== 'object' || options === null) {
    // Not quoted: it may be anything.
    throw wrongOption(caller, `the options are a ${options === null ? 'null' : typeof options}; expected an object`)
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) throw wrongOption(caller, unknownOption(unknown, known))
}
