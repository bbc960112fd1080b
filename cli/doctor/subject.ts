/** The first four steps: what is to be connected to, read and merged by the library's own rooms. */

import { SYSTEM_CLOCK } from '../../src/base/clock.ts'
import { ConnectionError } from '../../src/base/connection-error.ts'
import { Diagnostics } from '../../src/base/diagnostics.ts'
import type { Environment } from '../../src/base/environment-variables.ts'
import type { Origin } from '../../src/base/refusal.ts'
import { commonName } from '../../src/connection/certificate-refusal.ts'
import { type ClientCertificate, readClientCertificate } from '../../src/connection/client-certificate.ts'
import { type MergedParameters, mergeParameters } from '../../src/connection/parameters.ts'
import { readRootCertificate } from '../../src/connection/root-certificate.ts'
import type { ResolvedConnection } from '../../src/connection/source.ts'
import type { ConnectionFields, ParsedFields } from '../../src/connection-string/fields.ts'
import { SecretCache, type SecretVersion } from '../../src/secret/cache.ts'
import { freshReader } from '../../src/secret/reader/readers.ts'
import { parseSecret } from '../../src/secret/value/parse.ts'
import { readSettings, type Settings } from '../../src/settings/settings.ts'
import type { Seen, Walk } from './walk.ts'

/** What is examined: a secret, the environment, or a text that may become a secret. */
export interface Subject {
  /** @default COCKROACH_SECRET_ID */
  readonly secretId?: string | undefined
  /** The value of a secret: given, so that none is read. */
  readonly text?: string | undefined
}

/** What the text is called in messages, where no secret is named. */
const STANDARD_INPUT = 'standard-input'

export interface ReadSubject {
  readonly settings: Settings
  /** What the secret itself says; nothing without a secret. */
  readonly fields: ConnectionFields
  readonly connection: ResolvedConnection
}

interface SecretText {
  readonly text: string
  readonly version: SecretVersion | undefined
}

/** @throws ConnectionError */
export async function readSecretText(settings: Settings): Promise<SecretText & { readonly version: SecretVersion }> {
  const { secretId = '', platform } = settings
  const read = freshReader(platform)
  const cache = new SecretCache({
    secretId,
    ttlMs: 0,
    getCached: read,
    getFresh: read,
    resolve: (text: string) => ({ text, isForSnapshot: false }),
    diagnostics: new Diagnostics(),
    now: SYSTEM_CLOCK.steadyNow,
  })
  const { text, secret: version } = await cache.current()
  return { text, version }
}

/** @throws ConnectionError */
export function settingsOf({ secretId, text }: Subject, environment: Environment): Settings {
  const id = secretId ?? (text === undefined ? undefined : STANDARD_INPUT)
  return readSettings(id === undefined ? {} : { secretId: id }, environment)
}

/** The fields of a secret's value, in messages by the secret's name. @throws ConnectionError */
export function fieldsOf(text: string, { secretId, secretKey: key }: Settings): ParsedFields {
  const origin: Origin = { code: 'ERR_SECRET_INVALID', name: `secret "${secretId}"` }
  return parseSecret(text, { origin, key })
}

function describeSettings({ secretId, options, environment, platform }: Settings, { text }: Subject): string {
  if (text !== undefined) return 'a value from standard input'
  if (secretId !== undefined)
    return `secret "${secretId}"${platform.region === undefined ? '' : ` in ${platform.region}`}`
  return `${Object.keys({ ...environment, ...options }).join(', ')} from the environment`
}

function describeSecret({ version }: SecretText, length: number, now: number): string {
  if (version === undefined) return `${length} characters, given`
  const { versionId = 'unknown', versionStage, createdAt } = version
  const days = createdAt === undefined ? undefined : Math.floor((now - createdAt) / 86_400_000)
  return `version ${versionId}, ${versionStage}${days === undefined ? '' : `, made ${days} days ago`}`
}

function describeRouting({ parameters: { host, port, dbname, user, cluster, options } }: MergedParameters): string {
  const routed = cluster === undefined ? 'not routed' : `routed to ${cluster}`
  return `database ${dbname} at ${host}:${port} as "${user}"${options === undefined ? '' : ', with options'}; ${routed}`
}

async function readText(walk: Walk, settings: Settings, subject: Subject): Promise<SecretText | undefined> {
  if (subject.text !== undefined) {
    walk.skip('secret', 'not read: the value is given')
    return { text: subject.text, version: undefined }
  }
  if (settings.secretId === undefined) {
    walk.skip('secret', 'none is named')
    return undefined
  }
  return walk.step('secret', async () => {
    const value = await readSecretText(settings)
    return { value, saw: describeSecret(value, value.text.length, Date.now()) }
  })
}

/** Merges; refusals of routing and TLS are left to the step that asks for the result. */
function mergeFor(settings: Settings, fields: ConnectionFields): () => MergedParameters {
  try {
    const merged = mergeParameters(settings, fields)
    return () => merged
  } catch (error) {
    if (!(error instanceof ConnectionError && ['ERR_ROUTING', 'ERR_TLS'].includes(error.code))) throw error
    return () => {
      throw error
    }
  }
}

/** Shorter than the time in which somebody should renew it. */
const SOON_DAYS = 30

function describeClientCertificate(
  certificate: ClientCertificate,
  user: string,
  now: number,
): Omit<Seen<never>, 'value'> {
  const { validFrom, validTo } = certificate.leaf
  const name = commonName(certificate)
  const daysLeft = Math.floor((Date.parse(validTo) - now) / 86_400_000)
  const validity = daysLeft < 0 ? `expired ${-daysLeft} days ago` : `${daysLeft} days left`
  const warnings = [
    ...(name === user ? [] : [`it is of "${name}", and the user is "${user}": the server must map them`]),
    ...(daysLeft < SOON_DAYS ? [`renew it: ${validity}`] : []),
    ...(Date.parse(validFrom) > now ? [`it is not valid before ${validFrom}`] : []),
  ]
  return { saw: `"${name}", ${validity}, with its key`, warnings }
}

async function readClient(
  walk: Walk,
  merged: MergedParameters,
  settings: Settings,
): Promise<ClientCertificate | undefined> {
  const { parameters, clientCertificate: setting } = merged
  if (setting.sslcert === undefined && setting.sslkey === undefined) {
    walk.skip('client certificate', 'none')
    return undefined
  }
  return walk.step('client certificate', () => {
    const value = readClientCertificate(setting, settings.platform)
    const seen = value === undefined ? { saw: 'none' } : describeClientCertificate(value, parameters.user, Date.now())
    return { value, ...seen }
  })
}

/** Takes the steps from `settings` to `client certificate`. @throws StepFailure */
export async function readSubject(walk: Walk, subject: Subject, environment: Environment): Promise<ReadSubject> {
  const settings = await walk.step('settings', () => {
    const value = settingsOf(subject, environment)
    return { value, saw: describeSettings(value, subject), warnings: value.warnings }
  })
  const secret = await readText(walk, settings, subject)
  const { fields, merge } = await walk.step('form', () => {
    const parsed = secret === undefined ? { fields: {}, warnings: [] } : fieldsOf(secret.text, settings)
    const value = { fields: parsed.fields, merge: mergeFor(settings, parsed.fields) }
    const named = Object.keys({ ...settings.environment, ...parsed.fields, ...settings.options })
    return { value, saw: named.join(', '), warnings: parsed.warnings }
  })
  const merged = await walk.step('routing', () => {
    const value = merge()
    return { value, saw: describeRouting(value), warnings: value.warnings }
  })
  const { parameters, password, sslrootcert } = merged
  const rootCertificate = await walk.step('root certificate', () => {
    const value = readRootCertificate(sslrootcert, settings.platform, import.meta.dirname)
    const { origin, path, ca, warnings } = value
    const count = ca === undefined ? "Node's own roots" : `${ca.length} certificate${ca.length === 1 ? '' : 's'}`
    return { value, saw: [count, path, `(${origin})`].filter((part) => part !== undefined).join(' '), warnings }
  })
  const clientCertificate = await readClient(walk, merged, settings)
  const connection = {
    ...{ parameters, password, rootCertificate, clientCertificate },
    ...{ secret: secret?.version, isForSnapshot: false },
  }
  return { settings, fields, connection }
}
