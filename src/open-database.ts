/** A database in use: its settings as they were read, its secret, and its pool. */
import type { Clock } from './base/clock.ts'
import { Diagnostics } from './base/diagnostics.ts'
import { Login } from './connection/login.ts'
import { rehearseLogin } from './connection/rehearsal.ts'
import { ConnectionSource } from './connection/source.ts'
import { closeOnShutdown } from './lambda/graceful-shutdown.ts'
import { isForSnapshot, moduleHasRun } from './lambda/init.ts'
import { passwordSourceOf } from './password-source/choice.ts'
// The layer's build has this module run, and with it pg, when the first pool is made and not before: see
// layer/lazy-modules.ts. Nothing else that is imported from here may import pg when it runs.
import { createPool, type DatabasePool } from './pool/pool.ts'
import { secretReaders } from './secret/reader/readers.ts'
import type { DatabaseOptions } from './settings/database-options.ts'
import { readSettings, type Settings } from './settings/settings.ts'

export class OpenDatabase {
  readonly settings: Settings
  readonly source: ConnectionSource
  readonly diagnostics = new Diagnostics()
  readonly #clock: Clock
  readonly #leaveShutdown: () => void
  #pool: DatabasePool | undefined
  #warmingUp: Promise<void> | undefined
  #isClosed = false
  /** True when init waits for the connection: its processor is whole, and idle until the secret is there. */
  isAwaited = false

  /** @throws ConnectionError `ERR_CONFIG` for wrong options and environment variables. */
  constructor(options: DatabaseOptions, clock: Clock) {
    this.#clock = clock
    this.settings = readSettings(options)
    const { metrics, platform } = this.settings
    if (metrics === 'emf')
      void import('./lambda/metrics.ts').then((module) => module.startMetrics(platform.functionName))
    // Not at once: events of the early connection come first.
    const onSent = (): void => void setImmediate(() => this.#prepare(this.isAwaited || !this.settings.platform.isSmall))
    this.source = new ConnectionSource({
      settings: this.settings,
      readers: secretReaders(this.settings.platform, this.diagnostics, onSent),
      passwordSource: passwordSourceOf(this.settings, clock),
      diagnostics: this.diagnostics,
      moduleDirectory: import.meta.dirname,
      now: clock.steadyNow,
    })
    this.#leaveShutdown = closeOnShutdown(this.settings, this.diagnostics, () => this.pool.terminate())
  }

  /** True when its pool was ended by others: by `pool.end()`, which is also what an ORM's `destroy()` calls. */
  get isEnded(): boolean {
    return this.#pool?.ending === true && !this.#pool.isTerminated
  }

  /**
   * Made when first asked for.
   *
   * @throws ConnectionError `ERR_CONFIG` when the function's copy of pg cannot be used.
   */
  get pool(): DatabasePool {
    if (this.#pool !== undefined) return this.#pool
    const login = new Login(this.source, { now: this.#clock.steadyNow })
    const { pg, platform, max, poolOptions: options } = this.settings
    const choice = { pg, functionModule: platform.functionModule }
    const pool = createPool(choice, login, { max, options }, this.diagnostics, this.#clock)
    void pool.whenEnded.then(this.#leaveShutdown)
    this.#pool = pool
    return pool
  }

  /** Opens a connection if there is none, once for all who ask meanwhile; rejects as a statement would. */
  warmUp(): Promise<void> {
    this.#warmingUp ??= this.#warmUp().finally(() => {
      this.#warmingUp = undefined
    })
    return this.#warmingUp
  }

  async #warmUp(): Promise<void> {
    if (isForSnapshot(this.settings.platform)) return this.#prepare(true)
    // The request for the secret comes before everything that it does not need.
    if (this.source.early() === undefined) await this.source.current()
    if (!this.#isClosed) await this.pool.warmUp()
  }

  /**
   * For a small function that does not wait in init: what the request for the secret does not need is done before init
   * ends, and with it the whole processor.
   */
  async prepareInInit(): Promise<void> {
    await moduleHasRun()
    if (this.settings.platform.isSmall && !this.isAwaited) this.#prepare(true)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#pool === undefined) this.#leaveShutdown()
    await this.#pool?.close()
  }

  /**
   * While the secret is on its way: pg takes milliseconds to load.
   *
   * @param rehearses whether to spend processor time so that the login takes less of the clock
   */
  #prepare(rehearses: boolean): void {
    try {
      void this.pool
    } catch {
      // The first statement reports it.
    }
    const resolve = (secretString: string) => this.source.destinationOf(secretString)
    if (rehearses) rehearseLogin(resolve, async () => this.pool.rehearse())
  }
}
