/** The walk over network and server: it ends in one login, and in the library's own health check. */
import dns from 'node:dns'
import { isIP } from 'node:net'
import { SYSTEM_CLOCK } from '../../src/base/clock.ts'
import { ConnectionError } from '../../src/base/connection-error.ts'
import { isDatabaseError } from '../../src/base/database-error.ts'
import { Diagnostics } from '../../src/base/diagnostics.ts'
import { foreignText } from '../../src/base/foreign-text.ts'
import { connectError } from '../../src/connection/connect-error.ts'
import { Login } from '../../src/connection/login.ts'
import type { ResolvedConnection } from '../../src/connection/source.ts'
import { checkHealth, type HealthReport } from '../../src/health-check.ts'
import { createPool, type DatabasePool } from '../../src/pool/pool.ts'
import type { Settings } from '../../src/settings/settings.ts'
import type { Probe } from './probe.ts'
import type { Seen, Walk } from './walk.ts'

const ROUND_TRIPS = 5

/** What the connected role may do, in words that CockroachDB and PostgreSQL share. */
const PRIVILEGES = `select current_user as user, current_database() as database,
  has_schema_privilege('public', 'CREATE') as creates,
  count(*) filter (where has_table_privilege(c.oid, 'SELECT'))::int as readable,
  count(*) filter (where has_table_privilege(c.oid, 'INSERT'))::int as writable,
  count(*)::int as tables
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_extension')`

async function resolveName(walk: Walk, { parameters }: ResolvedConnection): Promise<void> {
  const { host } = parameters
  if (host.startsWith('/') || isIP(host) !== 0) {
    walk.skip('DNS', host.startsWith('/') ? 'a Unix socket' : 'the host is an address')
    return
  }
  await walk.step('DNS', async () => {
    const found = await dns.promises.lookup(host, { all: true }).catch((error: unknown) => {
      throw connectError(error, parameters)
    })
    return { value: undefined, saw: found.map(({ address }) => address).join(', ') }
  })
}

/** Chain and host name are verified in one handshake: of an error, Node's code says which of them it was. */
async function verify(walk: Walk, probe: Probe, { parameters }: ResolvedConnection): Promise<void> {
  const stream = await walk.step('SSLRequest', async () => ({
    value: await probe.requestTls(),
    saw: 'the server offers TLS',
  }))
  let otherName: unknown
  await walk.step('chain', async () => {
    await probe.verify(stream).catch((error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_TLS_CERT_ALTNAME_INVALID')) throw error
      otherName = error
    })
    const [leaf] = probe.presented
    const names = probe.presented.map(({ subject }) => subject).join(' < ')
    return { value: undefined, saw: `${names}, ${leaf?.daysLeft} days left` }
  })
  await walk.step('host name', () => {
    if (otherName !== undefined) throw otherName
    return { value: undefined, saw: `the certificate is of ${parameters.host}` }
  })
}

/** Until the server is verified; nothing of the login is sent. @throws StepFailure */
export async function reachServer(walk: Walk, connection: ResolvedConnection, probe: Probe): Promise<void> {
  await resolveName(walk, connection)
  try {
    await walk.step('TCP', async () => ({ value: undefined, saw: await probe.connect() }))
    if (connection.parameters.sslmode === 'verify-full') await verify(walk, probe, connection)
    else for (const step of ['SSLRequest', 'chain', 'host name'] as const) walk.skip(step, 'sslmode=disable')
  } finally {
    probe.close()
  }
}

/** A pool that logs in with this password once: neither the secret is read again, nor the next one tried. */
function poolOf(connection: ResolvedConnection, { auth, pg, platform, poolOptions: options }: Settings): DatabasePool {
  const source = {
    early: () => undefined,
    current: async () => connection,
    withPassword: async () => {
      if (auth === 'password') return connection
      throw new ConnectionError('ERR_CONFIG', "auth is jwt: the token to log in with is made for the function's role", {
        hint: 'Examine the function itself: doctor --function NAME.',
      })
    },
    renewed: async () => undefined,
    explained: async (_: ResolvedConnection, refusal: ConnectionError) => refusal,
    reread: async () => undefined,
    pending: async () => undefined,
    accepted: () => undefined,
  }
  const login = new Login(source, { now: SYSTEM_CLOCK.steadyNow })
  const { functionModule } = platform
  return createPool({ pg, functionModule }, login, { max: 1, options }, new Diagnostics(), SYSTEM_CLOCK)
}

function plural(count: unknown, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The way is open, whatever the user may do: a server that cannot say it is no failure. */
async function describePrivileges(pool: DatabasePool): Promise<Seen<undefined>> {
  try {
    const { rows } = await pool.run(PRIVILEGES)
    const { user, database, creates, readable, writable, tables } = rows[0] ?? {}
    const may = creates === true ? 'may create tables in public' : 'may not create tables in public'
    const counts = `reads ${readable} and writes ${writable} of ${plural(tables, 'table')}`
    return { value: undefined, saw: `"${user}" in ${database}: ${may}, ${counts}` }
  } catch (error) {
    if (!isDatabaseError(error)) throw error
    return { value: undefined, saw: 'unknown', warnings: [`the server says: ${foreignText(error.message)}`] }
  }
}

/** The median: the first of some statements may be slow. */
async function roundTripMs(pool: DatabasePool): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < ROUND_TRIPS; count += 1) {
    const startedAt = performance.now()
    await pool.run('select 1')
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUND_TRIPS / 2)] ?? 0
}

/** From the login to the round trip, on one connection. @throws StepFailure */
export async function useServer(walk: Walk, connection: ResolvedConnection, settings: Settings): Promise<HealthReport> {
  const pool = poolOf(connection, settings)
  try {
    await walk.step('login', async () => {
      await pool.warmUp()
      return { value: undefined, saw: `the server accepts "${connection.parameters.user}"` }
    })
    const health = await walk.step('first query', async () => {
      const value = await checkHealth(() => pool, SYSTEM_CLOCK)
      if (value.error !== undefined) throw value.error
      return { value, saw: 'select 1' }
    })
    const { server, tls } = health
    const session = tls === undefined ? 'without TLS' : `${tls.protocol}, ${tls.cipher}`
    await walk.step('server', () => ({
      value: undefined,
      saw: `${server?.name} ${server?.version ?? ''}, ${session}`,
    }))
    await walk.step('privileges', () => describePrivileges(pool))
    await walk.step('round trip', async () => {
      const ms = await roundTripMs(pool)
      return { value: undefined, saw: `${ms.toFixed(1)} ms, the median of ${ROUND_TRIPS}` }
    })
    return health
  } finally {
    await pool.close()
  }
}
