/** A cluster behind the stand-in: its name, its host, its databases in PostgreSQL, and its faults. */

/** What Cockroach Labs' console showed for the cluster of the article, less the name. */
const HOST_SUFFIX = '7tt.aws-ap-southeast-1.cockroachlabs.cloud'

export interface PostgresAddress {
  /** @default '127.0.0.1' */
  readonly host?: string
  readonly port: number
}

export interface TenantOptions {
  /** `<name>-<tenant id>`, for example `cozy-otter-4821`. */
  readonly cluster: string
  /** @default `<cluster>.7tt.aws-ap-southeast-1.cockroachlabs.cloud` */
  readonly host?: string
  /**
   * The cluster's databases, by the name a client asks for, and PostgreSQL's name for each. A client of this cluster
   * reaches no other. `current_database()` returns PostgreSQL's name, so use the same name where only one tenant has it.
   *
   * @default every database, under its own name
   */
  readonly databases?: Readonly<Record<string, string>>
  /** @default the stand-in's */
  readonly postgres?: PostgresAddress
}

export class Tenant {
  readonly cluster: string
  readonly host: string
  readonly postgres: PostgresAddress
  /** False: the client's address is not on the cluster's IP allowlist. */
  allowsAddress = true
  /** False: the cluster does not accept connections. */
  isAvailable = true
  /** True: the cluster has used up its request units. */
  isRequestUnitLimitHit = false
  readonly #databases: Readonly<Record<string, string>> | undefined

  constructor({ cluster, host, databases, postgres }: TenantOptions, defaultPostgres: PostgresAddress) {
    this.cluster = cluster
    this.host = host ?? `${cluster}.${HOST_SUFFIX}`
    this.postgres = postgres ?? defaultPostgres
    this.#databases = databases
  }

  /** PostgreSQL's name for a database of this cluster, or undefined when the cluster has none of that name. */
  databaseFor(name: string): string | undefined {
    if (this.#databases === undefined) return name
    return Object.hasOwn(this.#databases, name) ? this.#databases[name] : undefined
  }
}
