/** A superuser's statements for a PostgreSQL of development and tests, whichever process started it. */
import pg from 'pg'

/** The `application_name` of our own sessions; `sessions()` leaves them out. */
const OWN_APPLICATION_NAME = 'local-postgres-admin'

const CLEAR_TEXT_ROLE = 'asked_in_clear_text'

/** The line of pg_hba.conf for members of a role: stand-ins in front of the server check what they send. */
export const CLEAR_TEXT_RULE = `host all +${CLEAR_TEXT_ROLE} 127.0.0.1/32 password`

/** What pg needs to log in as the superuser. */
export interface SuperuserConfig {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** A row of `pg_stat_activity`. */
export interface Session {
  readonly pid: number
  readonly usename: string
  readonly datname: string
  readonly application_name: string
  readonly state: string
  readonly query: string
}

export class PostgresAdmin {
  readonly #superuser: SuperuserConfig

  constructor(superuser: SuperuserConfig) {
    this.#superuser = superuser
  }

  /** What pg needs to log in as the superuser. */
  superuserConfig(): SuperuserConfig {
    return this.#superuser
  }

  /** Runs one statement as the superuser, on a connection of its own. */
  async query<Row extends pg.QueryResultRow = Record<string, unknown>>(
    sql: string,
    values: readonly unknown[] = [],
    database = this.#superuser.database,
  ): Promise<Row[]> {
    const names = { database, application_name: OWN_APPLICATION_NAME }
    const client = new pg.Client({ ...this.#superuser, ...names, ssl: false })
    await client.connect()
    try {
      return (await client.query<Row>(sql, [...values])).rows
    } finally {
      await client.end()
    }
  }

  /** Creates a database in which every user may create tables, as in a new CockroachDB database. */
  async createDatabase(name: string): Promise<void> {
    await this.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
    await this.query('GRANT ALL ON SCHEMA public TO PUBLIC', [], name)
  }

  /** Drops a database, and terminates its sessions. */
  async dropDatabase(name: string): Promise<void> {
    await this.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`)
  }

  /** Creates a user who may log in. */
  async createUser(name: string, password: string): Promise<void> {
    await this.query(`CREATE ROLE ${pg.escapeIdentifier(name)} LOGIN PASSWORD ${pg.escapeLiteral(password)}`)
  }

  /** The server asks this user for the password in clear text from now on: see `CLEAR_TEXT_RULE`. */
  async askInClearText(name: string): Promise<void> {
    await this.query(
      `DO $$ BEGIN CREATE ROLE ${CLEAR_TEXT_ROLE}; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`,
    )
    await this.query(`GRANT ${CLEAR_TEXT_ROLE} TO ${pg.escapeIdentifier(name)}`)
  }

  async dropUser(name: string): Promise<void> {
    await this.query(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(name)}`)
  }

  /** Open sessions stay. */
  async changePassword(user: string, password: string): Promise<void> {
    await this.query(`ALTER ROLE ${pg.escapeIdentifier(user)} PASSWORD ${pg.escapeLiteral(password)}`)
  }

  /** The clients' sessions that the server has now, all of them or one user's or application's. */
  async sessions(filter: { user?: string; application_name?: string } = {}): Promise<Session[]> {
    return await this.query<Session>(
      `SELECT pid, usename, datname, application_name, state, query FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND application_name <> $1
          AND usename = coalesce($2, usename) AND application_name = coalesce($3, application_name)
        ORDER BY backend_start`,
      [OWN_APPLICATION_NAME, filter.user ?? null, filter.application_name ?? null],
    )
  }
}
