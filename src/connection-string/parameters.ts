/** The table of the parameters that a connection string may have, and how each is treated. */

import { innerOrigin, isName, type Origin, refusal, shownName } from '../base/refusal.ts'
import { isCloudHost } from '../routing/host.ts'
import type { Entry } from './entries.ts'
import { CONNECTION_FIELDS, type ConnectionFields, FIELD_NAMES, type FieldName, readField } from './fields.ts'
import { addServerSettings, isServerSetting } from './server-settings.ts'

/**
 * - `field`: becomes that field of the connection.
 * - `checked`: has no effect when its value matches `harmless`; refused otherwise, because it would weaken TLS or
 *   change what statements do.
 * - `refused`: cannot be honoured, and leaving it out would reach another server or weaken TLS.
 * - `ignored`: has no effect here, and the user sees what is missing: a login by other means than a password fails.
 *   One warning names all such parameters.
 */
export type ConnectionParameter =
  | { readonly use: 'field'; readonly field: FieldName }
  | { readonly use: 'checked'; readonly harmless: RegExp; readonly hint: string }
  | { readonly use: 'refused'; readonly hint: string }
  | { readonly use: 'ignored' }

const TRUE = /^(?:true|1|on|yes)$/i
const NAME_THE_SERVER = 'Name the server by host, port and database, each once.'
const PRIMARY_ALONE = 'Leave it out, and name the right host: whether it accepts writes is not checked.'
const TLS_IS_OURS = 'Leave it out: the chain and the host name are always verified against sslrootcert.'

const checked = (harmless: RegExp, hint = TLS_IS_OURS) => ({ use: 'checked', harmless, hint }) as const
const refused = (hint: string) => ({ use: 'refused', hint }) as const
const ignored = { use: 'ignored' } as const

const FIELD_PARAMETERS: Readonly<Record<string, ConnectionParameter>> = Object.fromEntries(
  FIELD_NAMES.flatMap((field) =>
    [field, ...(CONNECTION_FIELDS[field].aliases ?? [])].map((name) => [name, { use: 'field', field }]),
  ),
)

/** By name in lower case: libpq's keywords, and those of other clients' URLs that must not be dropped in silence. */
export const CONNECTION_PARAMETERS: Readonly<Record<string, ConnectionParameter>> = {
  ...FIELD_PARAMETERS,

  ssl: checked(/^(?:true|1|on|yes|require|verify-ca|verify-full)$/i),
  requiressl: checked(/^1$/),
  rejectunauthorized: checked(TRUE),
  sslaccept: checked(/^strict$/i),
  sslcompression: checked(/^0$/),
  sslcertmode: checked(/^(?:disable|allow)$/),
  // CockroachDB's: PEM text in sslcert, sslkey and sslrootcert, which is recognised without it.
  sslinline: checked(/^(?:true|false|1|0)$/i, 'Write sslinline=true, or leave it out.'),
  sslsni: checked(/^1$/),
  // TLS 1.2 and newer are used: an older minimum is refused, a newer one cannot be enforced.
  ssl_min_protocol_version: checked(/^tlsv1\.2$/i),
  ssl_max_protocol_version: checked(/^tlsv1\.[23]$/i),
  min_protocol_version: checked(/^3\.0$/),
  sslnegotiation: checked(/^(?:postgres|direct)$/),
  gssencmode: checked(/^(?:disable|prefer)$/),
  client_encoding: checked(/^(?:utf-?8|unicode|auto)$/i, 'Leave it out: text is UTF-8.'),
  replication: checked(/^(?:false|off|no|0)$/i, 'Leave it out: a replication connection runs no statements.'),
  target_session_attrs: checked(/^(?:any|prefer-standby)$/i, PRIMARY_ALONE),
  targetservertype: checked(/^(?:any|prefer\w+)$/i, PRIMARY_ALONE),

  hostaddr: refused(NAME_THE_SERVER),
  requirepeer: refused('Leave it out: the owner of a Unix socket is not checked.'),
  service: refused(NAME_THE_SERVER),
  servicefile: refused(NAME_THE_SERVER),
  socketfactory: refused(NAME_THE_SERVER),
  sslcrl: refused('Revocation lists are not supported; leave it out only if you can do without.'),
  sslcrldir: refused('Revocation lists are not supported; leave it out only if you can do without.'),
  sslfactory: refused(TLS_IS_OURS),
  sslhostnameverifier: refused(TLS_IS_OURS),

  fallback_application_name: ignored,
  gssdelegation: ignored,
  gsslib: ignored,
  keepalives: ignored,
  keepalives_count: ignored,
  keepalives_idle: ignored,
  keepalives_interval: ignored,
  krbsrvname: ignored,
  load_balance_hosts: ignored,
  max_protocol_version: ignored,
  oauth_client_id: ignored,
  oauth_client_secret: ignored,
  oauth_issuer: ignored,
  oauth_scope: ignored,
  passfile: ignored,
  scram_client_key: ignored,
  scram_server_key: ignored,
  sslkeylogfile: ignored,
  sslpassword: ignored,
  tcp_user_timeout: ignored,
}

/** The row for a parameter of that name; upper and lower case are alike, as clients differ (`sslMode`). */
export function findParameter(name: string): ConnectionParameter | undefined {
  const key = name.toLowerCase()
  return Object.hasOwn(CONNECTION_PARAMETERS, key) ? CONNECTION_PARAMETERS[key] : undefined
}

function checkEntry(entry: Entry, parameter: ConnectionParameter | undefined, origin: Origin): void {
  if (parameter?.use === 'refused') throw refusal(origin, `parameter ${entry.name} is not supported`, parameter.hint)
  if (parameter?.use === 'checked' && !parameter.harmless.test(entry.value)) {
    const found = parameter.hint === TLS_IS_OURS ? 'would weaken TLS, or that is unknown' : 'cannot be honoured'
    throw refusal(origin, `parameter ${entry.name} has a value that ${found}`, parameter.hint)
  }
}

/**
 * Turns parameters into fields. An empty value counts as absent, as in libpq's URLs.
 *
 * @throws ConnectionError when a parameter is refused, is given twice, or has an unusable value.
 */
export function readEntries(
  entries: readonly Entry[],
  origin: Origin,
): { fields: ConnectionFields; warnings: string[] } {
  const fields: ConnectionFields = {}
  const seen = new Set<string>()
  const dropped: string[] = []
  for (const entry of entries) {
    if (isServerSetting(entry.name)) continue
    const parameter = findParameter(entry.name)
    const name = parameter?.use === 'field' ? parameter.field : entry.name.toLowerCase()
    if (parameter !== undefined && seen.has(name)) throw refusal(origin, `${name} is given twice`, `Give ${name} once.`)
    seen.add(name)
    if (entry.value === '') continue
    checkEntry(entry, parameter, origin)
    if (parameter === undefined || parameter.use === 'ignored') {
      dropped.push(isName(entry.name) ? entry.name : shownName(entry.name))
    } else if (parameter.use === 'field') {
      Object.assign(fields, readField(parameter.field, entry.value, innerOrigin(name, origin)))
    }
  }
  const says = (key: string, word: string) =>
    entries.some(({ name, value }) => name.toLowerCase() === key && value === word)
  if (says('sslcertmode', 'disable')) for (const name of ['sslcert', 'sslkey']) Reflect.deleteProperty(fields, name)
  if (says('sslnegotiation', 'direct')) {
    checkNegotiation(fields.host, origin)
    dropped.push('sslnegotiation')
  }
  const options = addServerSettings(fields.options, entries, origin)
  return {
    fields: options === undefined ? fields : { ...fields, options },
    warnings: dropped.length === 0 ? [] : [`${origin.name}: ignored parameters: ${[...new Set(dropped)].join(', ')}`],
  }
}

/** Without a host here, another origin may name a host of CockroachDB Cloud. */
function checkNegotiation(host: string | undefined, origin: Origin): void {
  if (host !== undefined && !isCloudHost(host)) return
  throw refusal(
    origin,
    'sslnegotiation=direct does not work with CockroachDB Cloud',
    'Leave sslnegotiation out, or use sslnegotiation=postgres.',
  )
}
