/** A lock that the function's statements wait for, so that a fault happens while they are under way. */
import pg from 'pg'
import type { Stage } from './stage.ts'

const LOCK = 1
const LONGEST_WAIT_MS = 20_000

/** Waits at the blockade, and then writes the line $1 of the ledger. */
export const BLOCKED_WRITE = `insert into ledger (id) select $1 from pg_advisory_xact_lock(${LOCK})`
/** Stays under way for 3 s behind the blockade: a server that shuts down may end the session that holds it before those that wait. */
export const BLOCKED_LONG_WRITE = `insert into ledger (id) select $1
  from (select pg_advisory_xact_lock(${LOCK})::text as lock offset 0) met, lateral pg_sleep(3 + length(met.lock))`
/** Waits at the blockade. */
export const BLOCKED = `select pg_advisory_xact_lock(${LOCK})`
/** The same for a server that shuts down: stays under way for 3 s if it has waited. */
export const BLOCKED_LONG = `select pg_sleep(3 + length(met.lock))
  from (select pg_advisory_xact_lock(${LOCK})::text as lock offset 0) met
  where length(met.lock) = 0 and clock_timestamp() - statement_timestamp() > interval '100 ms'`
/** Makes every transaction that wrote the ledger wait at the blockade when it commits. */
export const BLOCKADE_AT_COMMIT = `
  create or replace function wait_at_commit() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock(${LOCK}); return null; end $$;
  drop trigger if exists wait_at_commit on ledger;
  create constraint trigger wait_at_commit after insert on ledger deferrable initially deferred
    for each row execute function wait_at_commit();`

const WAITING = `select pid from pg_locks
  where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`

export class Blockade implements AsyncDisposable {
  readonly #stage: Stage
  readonly #holder: pg.Client

  private constructor(stage: Stage, holder: pg.Client) {
    this.#stage = stage
    this.#holder = holder
  }

  static async raise(stage: Stage): Promise<Blockade> {
    const holder = new pg.Client({ ...stage.postgres.superuserConfig(), database: stage.database, ssl: false })
    // A restart of the server ends it, and the blockade with it.
    holder.on('error', () => undefined)
    await holder.connect()
    await holder.query(`select pg_advisory_lock(${LOCK})`)
    return new Blockade(stage, holder)
  }

  /** Resolves when a statement waits, or when `call` ends without one. */
  async met(call: Promise<unknown>): Promise<void> {
    let hasEnded = false
    const end = (): void => {
      hasEnded = true
    }
    call.then(end, end)
    const isMet = async (): Promise<boolean> =>
      hasEnded || (await this.#stage.postgres.query(WAITING, [], this.#stage.database)).length > 0
    if (!(await this.#stage.until(isMet, LONGEST_WAIT_MS))) throw new Error('no statement waited at the blockade')
  }

  /** Ends the sessions that wait. */
  async terminateWaiting(): Promise<void> {
    await this.#stage.postgres.query(
      `select pg_terminate_backend(pid) from (${WAITING}) waiting`,
      [],
      this.#stage.database,
    )
  }

  /** Releases the lock, so that the statements run. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.end().catch(() => undefined)
  }
}
