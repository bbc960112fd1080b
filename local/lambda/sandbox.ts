/** One life of an execution environment: the runtime's process, its external extensions, and the API they talk to. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from './child.ts'
import { type ExitStatus, exitError, type FunctionError } from './function-error.ts'
import { type Answer, type Invocation, RuntimeApi } from './runtime-api.ts'

/** The time that Lambda leaves for a shutdown, by the kind of extension; without extensions it leaves none. */
const SHUTDOWN_MS = { internal: 500, external: 2_000 } as const
/** The runtime's part of it when external extensions get SHUTDOWN afterwards. */
const RUNTIME_SHUTDOWN_MS = 300
/** A large event to a stopped process may stay partly unsent, since its socket is not read. */
const SEND_MS = 250

export interface SandboxOptions {
  readonly functionName: string
  readonly handler: string
  /** On Managed Instances only. */
  readonly maxConcurrency: number | undefined
  /** Node's executable, and its arguments up to and including the runtime's script. */
  readonly nodeBinary: string
  readonly args: readonly string[]
  readonly task: string
  readonly opt: string
  /** The processes' environment, once the address of the Runtime API is known. */
  readonly environment: (runtimeApi: string) => Readonly<Record<string, string>>
  readonly onOutput: (text: string) => void
}

export interface Shutdown {
  /** True when the runtime was sent SIGTERM. */
  readonly signalled: boolean
  readonly ms: number
  /** A signal's name, or `exit <code>`. */
  readonly exitedBy: string
}

export class Sandbox {
  readonly #api: RuntimeApi
  readonly #runtime: Child
  readonly #extensions: readonly Child[]

  private constructor(api: RuntimeApi, runtime: Child, extensions: readonly Child[]) {
    this.#api = api
    this.#runtime = runtime
    this.#extensions = extensions
  }

  /** Starts the processes: extensions first, the runtime when they have registered. */
  static async start(options: SandboxOptions, timeLimit: AbortSignal): Promise<Sandbox> {
    const { functionName, handler, opt, maxConcurrency } = options
    const external = await findExtensions(opt)
    const metadata = { functionName, functionVersion: '$LATEST', handler }
    const api = await RuntimeApi.start({ external, metadata, maxConcurrency })
    const common = { cwd: options.task, environment: options.environment(api.address), onOutput: options.onOutput }
    const extensions = external.map(
      (name) => new Child({ ...common, command: join(opt, 'extensions', name), args: [] }),
    )
    // An extension that ends or hangs instead of registering is reported by `initialized()`.
    const over = [aborted(timeLimit), ...extensions.map(({ exited }) => exited)]
    await Promise.race([api.whenExternalExtensionsRegistered(), ...over])
    const runtime = new Child({ ...common, command: options.nodeBinary, args: options.args })
    return new Sandbox(api, runtime, extensions)
  }

  get pid(): number | undefined {
    return this.#runtime.pid
  }

  /** How the runtime's process ended, once it has. */
  get exitStatus(): ExitStatus | undefined {
    return this.#runtime.exitStatus
  }

  /** Waits for the end of the init phase; returns its error, if any. */
  async initialized(requestId: string): Promise<FunctionError | 'ready'> {
    return await Promise.race([
      this.#api.initError,
      ...this.#extensions.map(({ exited }) => exited.then((status) => extensionCrash(requestId, status))),
      this.#runtime.exited.then((status) => exitError(requestId, status)),
      this.#api.whenIdle().then(() => 'ready' as const),
    ])
  }

  /** Sends an invocation; a stopped process reads it from its socket when it continues. */
  async invoke(invocation: Invocation, wasFrozen: boolean): Promise<Answer> {
    const ended = this.#runtime.exited.then((status) => ({ error: exitError(invocation.requestId, status) }))
    return await Promise.race([this.#deliver(invocation, wasFrozen), ended])
  }

  /** Waits until the runtime and all extensions wait for what comes next; false when the runtime ended instead. */
  async untilIdle(): Promise<boolean> {
    return await Promise.race([this.#api.whenIdle().then(() => true), this.#runtime.exited.then(() => false)])
  }

  async freeze(): Promise<void> {
    await Promise.all(this.#all.map((child) => child.freeze()))
  }

  thaw(): void {
    for (const child of this.#all) child.thaw()
  }

  /** Ends everything at once, as Lambda does after a time-out. */
  async kill(): Promise<void> {
    await Promise.all(this.#all.map((child) => child.kill()))
    await this.#api.stop()
  }

  /** The shutdown phase; `onKill` is called before the runtime gets SIGKILL. */
  async shutdown(onKill: () => void): Promise<Shutdown> {
    const startedAt = performance.now()
    const { extensions } = this.#api
    const hasExternal = extensions.has('external')
    const signalled = (hasExternal || extensions.has('internal')) && this.exitStatus === undefined
    if (signalled) {
      this.thaw()
      const deadlineMs = Date.now() + SHUTDOWN_MS.external
      this.#runtime.signal('SIGTERM')
      await this.#runtime.endsWithin(hasExternal ? RUNTIME_SHUTDOWN_MS : SHUTDOWN_MS.internal)
      onKill()
      await this.#runtime.kill()
      extensions.send({ eventType: 'SHUTDOWN', shutdownReason: 'spindown', deadlineMs })
      await Promise.all(this.#extensions.map((extension) => extension.endsWithin(deadlineMs - Date.now())))
    } else onKill()
    await this.kill()
    const { code, signal } = await this.#runtime.exited
    return { signalled, ms: performance.now() - startedAt, exitedBy: signal ?? `exit ${code}` }
  }

  async #deliver(invocation: Invocation, wasFrozen: boolean): Promise<Answer> {
    const isRestored = this.#api.restore()
    if (isRestored) this.thaw()
    const { sent, answered } = await this.#api.dispatch(invocation)
    if (wasFrozen && !isRestored) {
      await Promise.race([sent, sleep(SEND_MS, undefined, { ref: false })])
      this.thaw()
    }
    return await answered
  }

  get #all(): readonly Child[] {
    return [this.#runtime, ...this.#extensions]
  }
}

async function findExtensions(opt: string): Promise<readonly string[]> {
  const entries = await readdir(join(opt, 'extensions'), { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

function extensionCrash(requestId: string, status: ExitStatus): FunctionError {
  const { errorMessage } = exitError(requestId, status)
  return { errorType: 'Extension.Crash', errorMessage: errorMessage.replace('Runtime exited', 'Extension exited') }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
