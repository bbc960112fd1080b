/** A user and a database of their own for each test file, on the PostgreSQL that all share; and a Cloud before it. */
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { inject } from 'vitest'
import { type CertificateAuthority, createCertificateAuthority } from '../../local/certificates.ts'
import { CloudStandIn, type CloudStandInOptions } from '../../local/cloud/stand-in.ts'
import { resolveToLoopback } from '../../local/loopback/names.ts'
import { PostgresAdmin } from '../../local/postgres/admin.ts'

/** The superuser's statements for the shared server. */
function sharedPostgres(): PostgresAdmin {
  return new PostgresAdmin(inject('postgres'))
}

export interface TestDatabase extends AsyncDisposable {
  readonly postgres: PostgresAdmin
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
}

/** Makes a user and an empty database under random names; both are dropped at the end. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const postgres = sharedPostgres()
  const suffix = randomBytes(6).toString('hex')
  const [database, user, password] = [`test_${suffix}`, `app_${suffix}`, randomBytes(12).toString('base64')]
  await postgres.createDatabase(database)
  await postgres.createUser(user, password)
  return {
    ...{ postgres, database, user, password, port: postgres.superuserConfig().port },
    async [Symbol.asyncDispose]() {
      await postgres.dropDatabase(database)
      await postgres.dropUser(user)
    },
  }
}

export interface TestCloud extends TestDatabase {
  readonly authority: CertificateAuthority
  readonly standIn: CloudStandIn
  readonly cluster: string
  readonly host: string
  /** Settings that log in. */
  clientConfig(changes?: pg.ClientConfig): pg.ClientConfig
}

/**
 * Starts a stand-in with one cluster, `cozy-otter-4821`, whose `defaultdb` is a new database. Until it is disposed of,
 * names below cockroachlabs.cloud resolve to loopback.
 */
export async function openCloud(options: Partial<CloudStandInOptions> = {}): Promise<TestCloud> {
  const database = await createTestDatabase()
  const authority = options.authority ?? (await createCertificateAuthority('Stand-in Root CA'))
  const cluster = 'cozy-otter-4821'
  const standIn = await CloudStandIn.start({
    postgres: { port: database.port },
    tenants: [{ cluster, databases: { defaultdb: database.database } }],
    ...options,
    authority,
  })
  const restoreNames = resolveToLoopback()
  const host = standIn.tenants.get(cluster)?.host ?? options.hosts?.[0] ?? '127.0.0.1'
  return {
    ...database,
    ...{ authority, standIn, cluster, host },
    clientConfig: (changes = {}) => ({
      ...{ host, port: standIn.port, user: database.user, password: database.password },
      database: `${cluster}.defaultdb`,
      ssl: { ca: authority.certificate },
      ...changes,
    }),
    async [Symbol.asyncDispose]() {
      restoreNames()
      await standIn.stop()
      await database[Symbol.asyncDispose]()
    },
  }
}
