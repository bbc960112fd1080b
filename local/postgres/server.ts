/** A real PostgreSQL on a loopback port, with a data folder of its own, for development and tests. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import getPort from 'get-port'
import { CLEAR_TEXT_RULE, PostgresAdmin } from './admin.ts'
import { postgresPrograms, type RunAs, unprivilegedUser } from './binaries.ts'
import { watchOver } from './watchdog.ts'

/** The superuser's name. */
const SUPERUSER = 'postgres'
const PORT_ATTEMPTS = 5

/**
 * The data needs not survive a power failure, but it must survive `crash()`: `synchronous_commit` stays on, or a crash
 * would lose what was committed just before.
 */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  io_method: 'sync',
  // In the data folder: what a crash leaves in /dev/shm would stay there.
  dynamic_shared_memory_type: 'mmap',
  // A failing CREATE ROLE would be logged with its password.
  log_min_error_statement: 'panic',
} as const

/** How the server ends, by PostgreSQL's names. */
export type ShutdownMode = 'smart' | 'fast' | 'immediate'
const SIGNALS: Record<ShutdownMode, NodeJS.Signals> = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' }

export interface PostgresServerOptions {
  /** Called at each step, with one short line of text. */
  readonly onProgress?: (step: string) => void
  /** Server settings, as in postgresql.conf: `{ max_connections: '50' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** When aborted while the data folder is made, that stops, and the promise rejects. */
  readonly signal?: AbortSignal | undefined
}

export class PostgresServer extends PostgresAdmin {
  readonly port: number
  readonly #installation: Installation
  readonly #stopWatchdog: () => Promise<void>
  #process: ChildProcess | undefined

  private constructor(port: number, installation: Installation, stopWatchdog: () => Promise<void>) {
    const { password } = installation
    super({ host: '127.0.0.1', port, user: SUPERUSER, password, database: 'postgres' })
    this.port = port
    this.#installation = installation
    this.#stopWatchdog = stopWatchdog
  }

  /**
   * Makes a data folder below the temp folder and starts the server on a free port: 127.0.0.1, SCRAM-SHA-256 only.
   *
   * Takes about a second. No signal handler is installed: call `stop()` from your own. When this process ends without
   * that (SIGKILL), a watchdog stops the server and removes the folder.
   */
  static async start({ onProgress, settings = {}, signal }: PostgresServerOptions = {}): Promise<PostgresServer> {
    onProgress?.('initialising PostgreSQL')
    const installation = await initialise({ ...SETTINGS, ...settings }, signal)
    const stopWatchdog = watchOver(installation.folder, installation.runAs)
    onProgress?.('starting PostgreSQL')
    for (let attempt = 1; ; attempt += 1) {
      const server = new PostgresServer(await getPort(), installation, stopWatchdog)
      try {
        await server.resume()
        onProgress?.(`PostgreSQL listens on 127.0.0.1:${server.port}`)
        return server
      } catch (error) {
        // Another process may have taken the free port.
        const portTaken = error instanceof Error && error.message.includes('Address already in use')
        if (portTaken && attempt < PORT_ATTEMPTS) continue
        await server.stop()
        throw error
      }
    }
  }

  /** Stops and starts on the same port with the same data. `smart` waits until all clients have gone. */
  async restart(mode: ShutdownMode = 'fast'): Promise<void> {
    await this.#end(mode)
    await this.resume()
  }

  /**
   * Crashes the server (PostgreSQL's immediate mode: no checkpoint, sessions cut off) and keeps the data.
   *
   * Not by SIGKILL: busy sessions would live on and keep the data folder from being used again.
   */
  async crash(): Promise<void> {
    await this.#end('immediate')
  }

  /** Starts again after `crash()`. Does nothing while the server runs. */
  async resume(): Promise<void> {
    if (this.#process !== undefined) return
    const { folder, programs, settings, runAs } = this.#installation
    const options = Object.entries({ ...settings, port: String(this.port) })
    const server = spawn(
      join(programs, 'postgres'),
      ['-D', join(folder, 'data'), ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      // Detached, so that Ctrl-C reaches the caller's handler before it reaches PostgreSQL.
      { ...runAs, cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    server.once('exit', () => {
      if (this.#process === server) this.#process = undefined
    })
    this.#process = server
    await untilReady(server)
  }

  /** Ends the server and removes its data. May be called twice. */
  async stop(): Promise<void> {
    await this.#end('immediate')
    await this.#stopWatchdog()
    await rm(this.#installation.folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #end(mode: ShutdownMode): Promise<void> {
    const server = this.#process
    if (server === undefined) return
    const exited = once(server, 'exit')
    server.kill(SIGNALS[mode])
    await exited
    this.#process = undefined
  }
}

/** What `initdb` made. */
interface Installation {
  readonly folder: string
  readonly programs: string
  readonly password: string
  readonly settings: Readonly<Record<string, string>>
  readonly runAs: RunAs
}

async function initialise(
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Installation> {
  const runAs = await unprivilegedUser()
  const folder = await mkdtemp(join(tmpdir(), 'cockroach-lambda-postgres-'))
  try {
    if (runAs.uid !== undefined) await chown(folder, runAs.uid, runAs.gid)
    const programs = await postgresPrograms(runAs, join(folder, 'programs'))
    const password = randomBytes(24).toString('base64url')
    // initdb reads a password from a file only; this one is readable by its owner alone, and removed right after.
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (runAs.uid !== undefined) await chown(passwordFile, runAs.uid, runAs.gid)
    await promisify(execFile)(
      join(programs, 'initdb'),
      [
        ...['--pgdata', join(folder, 'data'), '--username', SUPERUSER, '--pwfile', passwordFile],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
        ...['--no-sync', '--no-instructions', '--no-data-checksums', '--set', 'io_method=sync'],
      ],
      { ...runAs, cwd: '/', signal },
    )
    await rm(passwordFile)
    const rules = join(folder, 'data/pg_hba.conf')
    await writeFile(rules, `${CLEAR_TEXT_RULE}\n${await readFile(rules, 'utf8')}`)
    return { folder, programs, password, settings, runAs }
  } catch (error) {
    // An initdb that was stopped still removes its files.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    throw error
  }
}

/** Resolves when the server's log says that it accepts connections, and rejects with that log when it ends before. */
async function untilReady(server: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let log = ''
    // Read to the end, since a full pipe would stop the server.
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4_000)
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log.trim()}`)))
  })
}
