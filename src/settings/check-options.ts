/** Checks options before they are read: a misspelt name, a wrong kind, an empty text. */
import { unknownOption } from '../base/options.ts'
import { CONNECTION_FIELDS, FIELD_NAMES } from '../connection-string/fields.ts'
import type { DatabaseOptions } from './database-options.ts'
import { POOL_OPTIONS, REFUSED_OPTIONS } from './pool-options.ts'
import type { Problems } from './problems.ts'
import { isSettingName, SETTINGS } from './setting-table.ts'

/** Every option, with the kind of value that it needs. */
const OPTION_KINDS: ReadonlyMap<string, 'string' | 'number' | 'boolean' | 'object' | 'function'> = new Map([
  ...Object.entries({ ...SETTINGS, ...POOL_OPTIONS }).map(([name, { kind }]) => [name, kind] as const),
  ...FIELD_NAMES.map((name) => [name, CONNECTION_FIELDS[name].isNumber ? 'number' : 'string'] as const),
  ['connectionString', 'string'],
  ['pg', 'object'],
])

/** True when the option is known and its value is of the kind that it needs: a password may be a function as well. */
export function isOfKind(name: string, value: unknown): boolean {
  return typeof value === OPTION_KINDS.get(name) || (name === 'password' && typeof value === 'function')
}

/** What is wrong with one option before its value is looked at. */
function faultOfOption(name: string, value: unknown): string | undefined {
  const kind = OPTION_KINDS.get(name)
  if (value === undefined) {
    const choosesDatabase = name === 'secretId' || name === 'connectionString'
    if (choosesDatabase) return `option ${name} is undefined; leave it out to use the environment's`
  }
  const reason = Object.hasOwn(REFUSED_OPTIONS, name) ? REFUSED_OPTIONS[name] : undefined
  if (kind === undefined && reason === undefined) return unknownOption(name, [...OPTION_KINDS.keys()])
  if (value === undefined) return undefined
  if (reason !== undefined) return `option ${name} is not taken: ${reason}`
  if (!isOfKind(name, value)) {
    return `option ${name} is a ${value === null ? 'null' : typeof value}; expected ${kind === 'object' ? 'an object' : `a ${kind}`}`
  }
  // An empty secretId would choose another database than the caller meant.
  return value === '' && isSettingName(name)
    ? `option ${name} is empty; leave it out to use ${SETTINGS[name].variable}`
    : undefined
}

/** Adds what is wrong with names and kinds. */
export function checkOptions(options: DatabaseOptions, problems: Problems): void {
  if (typeof options !== 'object' || options === null) {
    // A connection string, most likely: not quoted.
    problems.add(`the options are a ${options === null ? 'null' : typeof options}; expected an object`)
    problems.throwIfAny()
  }
  for (const [name, value] of Object.entries(options)) {
    const fault = faultOfOption(name, value)
    if (fault !== undefined) problems.add(fault)
  }
}
