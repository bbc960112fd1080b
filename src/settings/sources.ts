/** Reads what options and environment say, by the two tables: each source has its names, and all share the readers. */
import type { Environment } from '../base/environment-variables.ts'
import type { Reader } from '../base/readers.ts'
import { type Origin, placeOf, refuseTooLong, valueRefusal } from '../base/refusal.ts'
import { mergeEntries, splitHost } from '../connection-string/entries.ts'
import { CONNECTION_FIELDS, type ConnectionFields, FIELD_NAMES, readField } from '../connection-string/fields.ts'
import { isOfKind } from './check-options.ts'
import type { DatabaseOptions } from './database-options.ts'
import type { Problems } from './problems.ts'
import { SETTINGS, type SettingName, type SettingValues } from './setting-table.ts'

/** A value that is set, and how messages name its place. */
interface Found {
  readonly value: string
  readonly place: Origin
}

/** Looks a setting up by the name of its option, or by its variable; undefined and empty ones are not found. */
type Source = (option: string, variable: string) => Found | undefined

function found(value: string | undefined, name: string): Found | undefined {
  return value === undefined || value === '' ? undefined : { value, place: { code: 'ERR_CONFIG', name } }
}

/** Options of the right kind: `checkOptions` reports the others. */
export function optionSource(options: DatabaseOptions): Source {
  const given = new Map<string, unknown>(Object.entries(options))
  return (option) => {
    const value = given.get(option)
    return isOfKind(option, value) ? found(String(value), `option ${option}`) : undefined
  }
}

export function environmentSource(environment: Environment): Source {
  return (_option, variable) => found(environment[variable], variable)
}

/** The fields of a connection that a source names one by one. */
export function readFields(source: Source, problems: Problems): ConnectionFields {
  const entries = FIELD_NAMES.flatMap((name) => {
    const entry = source(name, CONNECTION_FIELDS[name].variable)
    if (entry === undefined) return []
    return splitHost({ name, ...entry }).map((part) =>
      part.name === name ? part : { ...part, place: placeOf(part.name, part.place) },
    )
  })
  const merged = problems.attempt(() =>
    mergeEntries(entries, (before, { place, name }) =>
      valueRefusal(before.place, `and ${place.name} give ${name} different values`, 'Keep one of them.'),
    ),
  )
  const fields: ConnectionFields = {}
  for (const { name, value, place } of merged ?? entries) {
    Object.assign(
      fields,
      problems.attempt(() => readField(name, value, place)),
    )
  }
  return fields
}

/** Reads what was found, and keeps the error if it cannot be used. */
export function readFound<Value>(given: Found | undefined, read: Reader<Value>, problems: Problems): Value | undefined {
  if (given === undefined) return undefined
  return problems.attempt(() => {
    refuseTooLong(given.value, given.place)
    return read(given.value, given.place)
  })
}

/** A setting from the first source that has it; the others are checked as well. */
export function readSetting<Name extends SettingName>(
  name: Name,
  sources: readonly Source[],
  problems: Problems,
): SettingValues[Name] | undefined {
  const { variable, read } = SETTINGS[name]
  const values = sources.map((source) => readFound(source(name, variable), read, problems))
  return values.find((value) => value !== undefined)
}
