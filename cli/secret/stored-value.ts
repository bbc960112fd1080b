/** The value that `secret put` stores: JSON with the fields that the secret needs, under the keys of AWS's own secrets. */
import type { ConnectionFields } from '../../src/connection-string/fields.ts'
import { defaultDbname } from '../../src/routing/host.ts'
import type { ReadSubject } from '../doctor/subject.ts'

/** What is stored as it was read, beside server, login and database. */
const OTHERS = [
  'sslrootcert',
  'sslcert',
  'channel_binding',
  'require_auth',
  'options',
  'application_name',
  'connect_timeout',
  'cluster',
] as const

/** Complete, whatever the environment has added; without the identifier that routing puts in front of the database. */
export function storedFields({ fields, connection }: ReadSubject): Readonly<Record<string, string | number>> {
  const { host, port, user, sslmode } = connection.parameters
  const { password } = connection
  const { sslkey } = fields
  const dbname = fields.dbname ?? defaultDbname(host, fields.cluster) ?? user
  const others = OTHERS.flatMap((name: keyof ConnectionFields) => {
    const value = fields[name]
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : []
  })
  return {
    ...{ host, port, username: user },
    ...(password !== undefined && { password: password.reveal() }),
    dbname,
    ...(sslmode === 'disable' && { sslmode }),
    ...Object.fromEntries(others),
    ...(sslkey !== undefined && { sslkey: sslkey.reveal() }),
  }
}

/** The same with nothing that must not be seen. */
export function shownFields(fields: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (name === 'password' || name === 'sslkey') return [name, '[redacted]']
      const isText = name === 'options' || (/^ssl(?:root)?cert$/.test(name) && String(value).includes('-----BEGIN'))
      return [name, isText ? `(${String(value).length} characters)` : value]
    }),
  )
}
