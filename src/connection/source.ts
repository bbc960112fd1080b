/** Turns settings and secret into a connection that can be opened. */

import type { Diagnostics } from '../base/diagnostics.ts'
import { Password } from '../base/password.ts'
import type { ConnectionFields } from '../connection-string/fields.ts'
import type { SecretSource, SecretVersion } from '../secret/source.ts'
import type { Settings } from '../settings/settings.ts'
import { type ConnectionParameters, mergeParameters } from './parameters.ts'
import { type RootCertificate, type RootCertificateSetting, readRootCertificate } from './root-certificate.ts'

/** Where a connection leads to, and how the server is verified. */
export interface Destination {
  readonly parameters: ConnectionParameters
  readonly rootCertificate: RootCertificate
}

/** Everything that opening a connection takes. */
export interface ResolvedConnection extends Destination {
  readonly password: Password | undefined
  /** The version it came from; undefined without a secret. */
  readonly secret: SecretVersion | undefined
}

/** Stands for the password that the secret will bring. */
const UNKNOWN = new Password('')

/** True when both lead to the same server, database and user, verified in the same way. */
export function isSameDestination(a: Destination, b: Destination): boolean {
  return a.rootCertificate === b.rootCertificate && JSON.stringify(a.parameters) === JSON.stringify(b.parameters)
}

export class ConnectionSource {
  readonly #settings: Settings
  readonly #secrets: SecretSource | undefined
  readonly #diagnostics: Diagnostics
  readonly #moduleDirectory: string
  readonly #rootCertificates = new Map<string | undefined, RootCertificate>()
  #resolved: ResolvedConnection | undefined

  constructor(
    settings: Settings,
    secrets: SecretSource | undefined,
    diagnostics: Diagnostics,
    moduleDirectory: string,
  ) {
    this.#settings = settings
    this.#secrets = secrets
    this.#diagnostics = diagnostics
    this.#moduleDirectory = moduleDirectory
    this.#warn(settings.warnings)
  }

  /**
   * Where to begin to connect to while the secret is read for the first time: known when options and environment name
   * server, user and database. What the secret says may still be another thing; `isSameDestination()` tells.
   */
  early(): Destination | undefined {
    if (this.#secrets === undefined || this.#secrets.version !== undefined) return undefined
    const { host, user, dbname } = { ...this.#settings.environment, ...this.#settings.options }
    if (host === undefined || user === undefined || dbname === undefined) return undefined
    try {
      return this.destinationOf({ password: UNKNOWN })
    } catch {
      // The secret may say better; if it does not, `current()` tells what is wrong.
      return undefined
    }
  }

  /** Where a secret with these fields leads to; throws as `current()` does. */
  destinationOf(fields: ConnectionFields): Destination {
    const { parameters, sslrootcert } = mergeParameters(this.#settings, fields)
    return { parameters, rootCertificate: this.#rootCertificate(sslrootcert) }
  }

  /** For a new connection, with the secret as it is kept. */
  async current(): Promise<ResolvedConnection> {
    return this.#resolve(await this.#secrets?.current())
  }

  /** With the secret read past every cache; undefined without a secret. */
  async reread(): Promise<ResolvedConnection | undefined> {
    return this.#secrets === undefined ? undefined : this.#resolve(await this.#secrets.reread())
  }

  /** With the version that a rotation is about to make current, if there is one. */
  async pending(): Promise<ResolvedConnection | undefined> {
    const version = await this.#secrets?.pending()
    return version === undefined ? undefined : this.#resolve(version)
  }

  /** The server accepted this connection: its secret is the one to go on with. */
  accepted({ secret }: ResolvedConnection): void {
    if (secret?.versionStage === 'AWSPENDING') this.#secrets?.adopt(secret)
  }

  #resolve(secret: SecretVersion | undefined): ResolvedConnection {
    if (this.#resolved !== undefined && this.#resolved.secret === secret) return this.#resolved
    const fields: ConnectionFields = secret?.fields ?? {}
    const { parameters, password, sslrootcert, warnings } = mergeParameters(this.#settings, fields)
    const rootCertificate = this.#rootCertificate(sslrootcert)
    this.#warn([...(secret?.warnings ?? []), ...warnings, ...rootCertificate.warnings])
    this.#resolved = { parameters, password, rootCertificate, secret }
    return this.#resolved
  }

  /** A file is read once for each setting. */
  #rootCertificate(setting: RootCertificateSetting | undefined): RootCertificate {
    const known = this.#rootCertificates.get(setting?.value)
    if (known !== undefined) return known
    const read = readRootCertificate(setting, this.#settings.surroundings, this.#moduleDirectory)
    this.#rootCertificates.set(setting?.value, read)
    return read
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#diagnostics.warn('settings', warning)
  }
}
