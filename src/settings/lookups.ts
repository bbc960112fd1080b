/** Reads options and environment by the two tables, with the same readers for both. */
import type { Environment } from '../base/environment-variables.ts'
import { type Reader, wholeNumber } from '../base/readers.ts'
import { innerOrigin, type Origin, refuseTooLong, valueRefusal } from '../base/refusal.ts'
import { mergeEntries, splitHost } from '../connection-string/entries.ts'
import { CONNECTION_FIELDS, type ConnectionFields, FIELD_NAMES, readField } from '../connection-string/fields.ts'
import { isOfKind } from './check-options.ts'
import type { DatabaseOptions } from './database-options.ts'
import { isPoolOption, POOL_OPTIONS, type PoolOptions } from './pool-options.ts'
import type { Problems } from './problems.ts'
import { SETTINGS, type SettingName, type SettingValues } from './setting-table.ts'

/** A value that is set, and its origin. */
interface Found {
  readonly value: string
  readonly origin: Origin
}

/** Looks a setting up by the name of its option, or by its variable; undefined and empty ones are not found. */
type Lookup = (option: string, variable: string) => Found | undefined

function found(value: string | undefined, name: string): Found | undefined {
  return value === undefined || value === '' ? undefined : { value, origin: { code: 'ERR_CONFIG', name } }
}

/** Options of the right kind, as text: `checkOptions` reports the others, and a function has none. */
export function optionLookup(options: DatabaseOptions): Lookup {
  const given = new Map<string, unknown>(Object.entries(options))
  return (option) => {
    const value = given.get(option)
    return isOfKind(option, value) && typeof value !== 'function' ? found(String(value), `option ${option}`) : undefined
  }
}

export function environmentLookup(environment: Environment): Lookup {
  return (_option, variable) => found(environment[variable], variable)
}

/** The fields of a connection that are given one by one. */
export function readFields(lookup: Lookup, problems: Problems): ConnectionFields {
  const entries = FIELD_NAMES.flatMap((name) => {
    const entry = lookup(name, CONNECTION_FIELDS[name].variable)
    if (entry === undefined) return []
    return splitHost({ name, ...entry }).map((part) =>
      part.name === name ? part : { ...part, origin: innerOrigin(part.name, part.origin) },
    )
  })
  const merged = problems.attempt(() =>
    mergeEntries(entries, (before, { origin, name }) =>
      valueRefusal(before.origin, `and ${origin.name} give ${name} different values`, 'Keep one of them.'),
    ),
  )
  const fields: ConnectionFields = {}
  for (const { name, value, origin } of merged ?? entries) {
    Object.assign(
      fields,
      problems.attempt(() => readField(name, value, origin)),
    )
  }
  return fields
}

/** Reads what was found; adds the error to `problems` if it cannot be used. */
export function readFound<Value>(given: Found | undefined, read: Reader<Value>, problems: Problems): Value | undefined {
  if (given === undefined) return undefined
  return problems.attempt(() => {
    refuseTooLong(given.value, given.origin)
    return read(given.value, given.origin)
  })
}

/** A setting from the first origin that has it; the others are checked too. */
export function readSetting<Name extends SettingName>(
  name: Name,
  lookups: readonly Lookup[],
  problems: Problems,
): SettingValues[Name] | undefined {
  const { variable, read } = SETTINGS[name]
  const values = lookups.map((lookup) => readFound(lookup(name, variable), read, problems))
  return values.find((value) => value !== undefined)
}

/** The options of pg's pool and client that were given, with the numbers in their ranges. */
export function readPoolOptions(options: DatabaseOptions, problems: Problems): PoolOptions {
  const given = Object.entries(options).filter(([name, value]) => isPoolOption(name) && value !== undefined)
  const lookup = optionLookup(options)
  for (const [name] of given) {
    const range = isPoolOption(name) ? POOL_OPTIONS[name].range : undefined
    if (range !== undefined) readFound(lookup(name, ''), wholeNumber(...range), problems)
  }
  return Object.fromEntries(given)
}
