/** Turns settings and secret into a connection that can be opened. */
import type { ConnectionError } from '../base/connection-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import { Password } from '../base/password.ts'
import type { ConnectionFields, ParsedFields } from '../connection-string/fields.ts'
import { isForSnapshot } from '../lambda/init.ts'
import type { PasswordSource } from '../password-source/password-source.ts'
import { SecretCache, type SecretVersion } from '../secret/cache.ts'
import type { SecretReaders } from '../secret/reader/request.ts'
import { parseSecret } from '../secret/value/parse.ts'
import type { Settings } from '../settings/settings.ts'
import { type ClientCertificate, readClientCertificate } from './client-certificate.ts'
import { type ConnectionParameters, type MergedParameters, mergeParameters } from './parameters.ts'
import { type RootCertificate, type RootCertificateSetting, readRootCertificate } from './root-certificate.ts'

/** Server, database and user of a connection, and the certificates: what a login needs before the server asks for a password. */
export interface Destination {
  readonly parameters: ConnectionParameters
  readonly rootCertificate: RootCertificate
  readonly clientCertificate: ClientCertificate | undefined
}

/** Everything that opening a connection needs. */
export interface ResolvedConnection extends Destination {
  /** That of the password source is added by `withPassword()`. */
  readonly password: Password | undefined
  /** The kind of the password source; undefined when the password is a field of the connection, or there is none. */
  readonly passwordKind?: PasswordSource['kind'] | undefined
  /** The version that it was made from; undefined without a secret. */
  readonly secret: SecretVersion | undefined
  /** True for a connection before a SnapStart snapshot: it must not outlast its first use. */
  readonly isForSnapshot: boolean
}

export interface ConnectionSourceOptions {
  readonly settings: Settings
  readonly readers: SecretReaders
  /** Undefined when the password is a field of the connection. */
  readonly passwordSource?: PasswordSource | undefined
  readonly diagnostics: Diagnostics
  /** The folder of this package's code. */
  readonly moduleDirectory: string
  readonly now: () => number
}

/** Stands for the secret's password, which is not read yet. */
const UNKNOWN = new Password('')

/** True when both name the same server, database, user and certificates. */
export function isSameDestination(a: Destination, b: Destination): boolean {
  return (
    a.rootCertificate === b.rootCertificate &&
    a.clientCertificate?.leaf.fingerprint256 === b.clientCertificate?.leaf.fingerprint256 &&
    JSON.stringify(a.parameters) === JSON.stringify(b.parameters)
  )
}

/** A warning when DATABASE_URL names another connection than the secret: a script may be meant for the one, and use the other. */
function passedOver({ secretId, passedOver: other }: Settings, parameters: ConnectionParameters): string[] {
  const prefix = `${parameters.cluster}.`
  const plain = (value: unknown) => String(value).toLowerCase().replace(prefix, '')
  const names = ['host', 'port', 'dbname', 'user'] as const
  const differs = names.some((name) => other?.[name] !== undefined && plain(other[name]) !== plain(parameters[name]))
  return differs
    ? [`COCKROACH_SECRET_ID and DATABASE_URL name different connections: secret "${secretId}" is used`]
    : []
}

export class ConnectionSource {
  readonly #settings: Settings
  readonly #diagnostics: Diagnostics
  readonly #moduleDirectory: string
  readonly #passwordSource: PasswordSource | undefined
  readonly #secrets: SecretCache<Omit<ResolvedConnection, 'secret'>> | undefined
  readonly #rootCertificates = new Map<string | undefined, RootCertificate>()
  #withoutSecret: ResolvedConnection | undefined

  constructor({ settings, readers, passwordSource, diagnostics, moduleDirectory, now }: ConnectionSourceOptions) {
    this.#settings = settings
    this.#passwordSource = passwordSource
    this.#diagnostics = diagnostics
    this.#moduleDirectory = moduleDirectory
    const { secretId, secretTtlMs: ttlMs } = settings
    if (secretId !== undefined) {
      // A value that names no usable connection counts as a failed read: the version in use stays.
      const resolve = (secretString: string) => this.#resolve(this.#parse(secretString))
      this.#secrets = new SecretCache({ secretId, ttlMs, ...readers, resolve, diagnostics, now })
    }
    this.#warn(settings.warnings)
  }

  /**
   * The destination to connect to while the secret is read for the first time; undefined unless options and environment
   * name server, user and database. The secret may still name another: compare with `isSameDestination()`.
   */
  early(): Destination | undefined {
    if (this.#secrets === undefined || this.#secrets.inUse !== undefined) return undefined
    const { host, user, dbname } = { ...this.#settings.environment, ...this.#settings.options }
    if (host === undefined || user === undefined || dbname === undefined) return undefined
    try {
      return this.#merge({ password: UNKNOWN })
    } catch {
      // The secret may correct this; if it does not, `current()` reports what is wrong.
      return undefined
    }
  }

  /** The destination that a secret with this text names, without warnings; throws as `current()` does. */
  destinationOf(secretString: string): Destination {
    return this.#merge(this.#parse(secretString).fields)
  }

  /** For a new connection, with the secret version in use. */
  async current(): Promise<ResolvedConnection> {
    if (this.#secrets !== undefined) return this.#secrets.current()
    if (this.#withoutSecret?.isForSnapshot) this.#withoutSecret = undefined
    this.#withoutSecret ??= { ...this.#resolve({ fields: {}, warnings: [] }), secret: undefined }
    return this.#withoutSecret
  }

  /** With the password that is made for each new connection, where there is a password source. */
  async withPassword(connection: ResolvedConnection): Promise<ResolvedConnection> {
    const source = this.#passwordSource
    if (source === undefined) return connection
    return { ...connection, password: await source.current(connection.parameters.host) }
  }

  /** With another password of the password source, after the server refused this one; undefined when there is no other. */
  async renewed(connection: ResolvedConnection, refusal: ConnectionError): Promise<ResolvedConnection | undefined> {
    const password = await this.#passwordSource?.renewed(connection.parameters.host, refusal)
    return password === undefined || password.equals(connection.password) ? undefined : { ...connection, password }
  }

  /** The refusal of a login, with the hint of the password source where there is one. */
  async explained({ parameters }: ResolvedConnection, refusal: ConnectionError): Promise<ConnectionError> {
    return (await this.#passwordSource?.explained(parameters.host, refusal)) ?? refusal
  }

  /** With the secret read again, not from a cache; undefined without a secret. */
  async reread(): Promise<ResolvedConnection | undefined> {
    return this.#secrets?.reread()
  }

  /** With the version that a rotation is about to make current, if there is one. */
  async pending(): Promise<ResolvedConnection | undefined> {
    return this.#secrets?.pending()
  }

  /** The server accepted this connection: its secret version is now the one in use. */
  accepted(connection: ResolvedConnection): void {
    const { secret } = connection
    if (secret?.versionStage === 'AWSPENDING') this.#secrets?.adopt({ ...connection, secret })
  }

  #parse(secretString: string): ParsedFields {
    const { secretId, secretKey: key } = this.#settings
    const origin = { code: 'ERR_SECRET_INVALID', name: `secret "${secretId}"` } as const
    return parseSecret(secretString, { origin, key })
  }

  #resolve({ fields, warnings }: ParsedFields): Omit<ResolvedConnection, 'secret'> {
    const merged = this.#merge(fields, warnings)
    const { parameters, rootCertificate, clientCertificate } = merged
    const passwordKind = this.#passwordSource?.kind
    this.#warn([
      ...warnings,
      ...merged.warnings,
      ...rootCertificate.warnings,
      ...passedOver(this.#settings, parameters),
    ])
    if (passwordKind === 'jwt' && merged.password !== undefined) {
      this.#warn(['auth is "jwt": the password of the secret or of PGPASSWORD is not used'])
    }
    const password = passwordKind === undefined ? merged.password : undefined
    return {
      ...{ parameters, password, passwordKind, rootCertificate, clientCertificate },
      isForSnapshot: isForSnapshot(this.#settings.platform),
    }
  }

  #merge(
    fields: ConnectionFields,
    notes?: readonly string[],
  ): Destination & Omit<MergedParameters, 'sslrootcert' | 'clientCertificate'> {
    const { sslrootcert, clientCertificate, ...merged } = mergeParameters(this.#settings, fields, notes)
    return {
      ...merged,
      rootCertificate: this.#rootCertificate(sslrootcert),
      clientCertificate: readClientCertificate(clientCertificate, this.#settings.platform),
    }
  }

  /** A file is read once for each setting. */
  #rootCertificate(setting: RootCertificateSetting | undefined): RootCertificate {
    const known = this.#rootCertificates.get(setting?.value)
    if (known !== undefined) return known
    const read = readRootCertificate(setting, this.#settings.platform, this.#moduleDirectory)
    this.#rootCertificates.set(setting?.value, read)
    return read
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#diagnostics.warn('settings', warning)
  }
}
