/** Libraries over pg: how each takes the pool, and where the test is that ran it. */

/** How much is to be written: nothing beside the library's own option for a pool, or the lines that are shown. */
type Use = 'as it is' | 'these lines' | 'not the pool'

export interface LibraryRow {
  /** Names of npm packages; the versions are those of package.json. */
  readonly packages: readonly [string, ...string[]]
  readonly use: Use
  /** As it stands in the code that the test runs. */
  readonly line: string
  /** What a user has to know, and why it is so. */
  readonly note: string
  /** What the test runs: a folder of `examples/`, or a module of `test/fixtures/orms`. */
  readonly example?: string
  readonly fixture?: string
  /** Connects by itself with `connectionString()`: a wrong root certificate must fail. */
  readonly connectsItself?: true
}

const OWN_CONNECTIONS =
  'has no option for a pg.Pool: makes connections of its own, verified, which no checkout protects from a freeze and no deadline ends'

export const ROWS: readonly LibraryRow[] = [
  {
    packages: ['pg'],
    use: 'as it is',
    line: 'getPool() instanceof pg.Pool',
    note: "the pool is built on the function's own `pg`: its type parsers and `instanceof` hold",
    example: 'plain-sql',
    fixture: 'pg',
  },
  {
    packages: ['drizzle-orm'],
    use: 'as it is',
    line: 'drizzle({ client: getPool() })',
    note: "Drizzle's own transactions are not repeated: the example does it",
    example: 'drizzle',
  },
  {
    packages: ['drizzle-orm'],
    use: 'as it is',
    line: 'drizzle({ client })',
    note: 'inside `transaction(async (client) => …)`, which repeats the unit on 40001',
    fixture: 'drizzle-in-transaction',
  },
  {
    packages: ['kysely'],
    use: 'as it is',
    line: 'new PostgresDialect({ pool: async () => getPool() })',
    note: '`destroy()` ends the pool: make a new `Kysely` after it',
    example: 'kysely',
  },
  {
    packages: ['prisma', '@prisma/adapter-pg'],
    use: 'as it is',
    line: 'new PrismaPg(getPool())',
    note: 'raise `maxWait` and `timeout` where transactions wait for one connection; `$disconnect()` leaves the pool open. `prisma migrate`, which connects by itself, was not run',
    example: 'prisma',
  },
  {
    packages: ['typeorm'],
    use: 'these lines',
    line: `const driver = {
  ...pg,
  Pool: function Pool() {
    return getPool()
  },
}`,
    note: 'has no option for a pool, but one for `pg`; `destroy()` ends the pool',
    example: 'typeorm',
  },
  {
    packages: ['knex', 'objection'],
    use: 'as it is',
    line: "knex({ client: 'pg', connectionPool: getPool() })",
    note: '`connectionPool` came with Knex 3.3; `destroy()` leaves the pool open',
    example: 'objection',
  },
  {
    packages: ['@mikro-orm/postgresql'],
    use: 'these lines',
    line: 'const driverOptions = new PostgresDialect({ pool: async () => getPool() })',
    note: 'with a dialect that it is given, MikroORM does not set its own parsers for dates and times, as its code says; `close()` ends the pool',
    example: 'mikro-orm',
  },
  {
    packages: ['pg-boss'],
    use: 'these lines',
    line: 'db: { executeSql: (text, values) => getPool().query(text, values) }',
    note: 'one `fetch()` per invocation; its timers do not run in a frozen function',
    fixture: 'pg-boss',
  },
  {
    packages: ['graphile-worker'],
    use: 'as it is',
    line: 'await runOnce({ pgPool, taskList, logger, concurrency: 1, noHandleSignals: true })',
    note: '`runOnce()`, not `run()`, which waits for notifications',
    fixture: 'graphile-worker',
  },
  {
    packages: ['node-pg-migrate'],
    use: 'as it is',
    line: 'await runner({ dbClient: client, dir, ...OPTIONS })',
    note: 'over `getClient()`; its advisory lock is not one in CockroachDB',
    fixture: 'node-pg-migrate',
  },
  {
    packages: ['pg-cursor'],
    use: 'as it is',
    line: "client.query(new Cursor('select n from generate_series(1, 5) n'))",
    note: 'over `getClient()`; ended at the deadline',
    fixture: 'pg-cursor',
  },
  {
    packages: ['pg-query-stream'],
    use: 'as it is',
    line: "client.query(new QueryStream('select n from generate_series(1, 5) n'))",
    note: 'over `getClient()`; ended at the deadline',
    fixture: 'pg-query-stream',
  },
  {
    packages: ['pg-copy-streams'],
    use: 'as it is',
    line: "client.query(from('copy copied from stdin'))",
    note: 'over `getClient()`; ended at the deadline',
    fixture: 'pg-copy-streams',
  },
  {
    packages: ['sequelize'],
    use: 'not the pool',
    line: 'dialectOptions: { ssl: { ca } }',
    note: `${OWN_CONNECTIONS}. \`url\` is \`connectionString()\` without \`sslmode\` and \`sslrootcert\`, \`ca\` what that file holds`,
    fixture: 'sequelize',
    connectsItself: true,
  },
  {
    packages: ['slonik'],
    use: 'not the pool',
    line: 'ssl: { ca, rejectUnauthorized: true }',
    note: `${OWN_CONNECTIONS}. It refuses \`sslmode=verify-full\`, and its \`require\` means to other clients that nothing is verified, so \`connectionString()\` does not write it: \`url\` and \`ca\` as for Sequelize`,
    fixture: 'slonik',
    connectsItself: true,
  },
  {
    packages: ['pg-listen'],
    use: 'not the pool',
    line: 'createSubscriber({ connectionString: await connectionString() })',
    note: `${OWN_CONNECTIONS}. Listen and close within one invocation; CockroachDB has no LISTEN`,
    fixture: 'pg-listen',
    connectsItself: true,
  },
]
