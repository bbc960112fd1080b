/** A Lambda execution environment on this machine: invoked often, frozen in between, started anew when it died. */
import { randomBytes, randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { FunctionDefinition } from './function-definition.ts'
import { type FunctionError, timeoutError } from './function-error.ts'
import type { InvocationResult, InvokeOptions } from './invocation-result.ts'
import { Launch, type LaunchOptions } from './launch.ts'
import { Sandbox, type Shutdown } from './sandbox.ts'

export interface ExecutionEnvironmentOptions extends LaunchOptions {
  /** Freeze after each response, as Lambda does. @default false */
  readonly freezeBetween?: boolean
  /** How long the init phase may take before it is run again inside the first invocation. @default 10000 */
  readonly initTimeoutMs?: number
  /** Called with what the processes write to stdout and stderr. */
  readonly onOutput?: (text: string) => void
}

/** The time that an init phase or an invocation has. */
interface TimeLimit {
  readonly ms: number
  readonly signal: AbortSignal
}

export class ExecutionEnvironment {
  /** How long the last init phase took. */
  initMs = 0
  /** How many processes this environment has had. */
  coldStarts = 0
  readonly #launch: Launch
  readonly #timeoutMs: number
  readonly #options: ExecutionEnvironmentOptions
  #output = ''
  #sandbox: Sandbox | undefined
  #isFrozen = false
  #isBusy = false
  #shutdown: Promise<Shutdown> | undefined

  private constructor(launch: Launch, timeoutMs: number, options: ExecutionEnvironmentOptions) {
    this.#launch = launch
    this.#timeoutMs = timeoutMs
    this.#options = options
  }

  /**
   * Unpacks code and layers and runs the init phase. An init phase that fails is run again by the first invocation,
   * which tells how it went.
   */
  static async start(
    definition: FunctionDefinition,
    options: ExecutionEnvironmentOptions = {},
  ): Promise<ExecutionEnvironment> {
    const launch = await Launch.prepare(definition, options)
    const environment = new ExecutionEnvironment(launch, definition.timeoutSeconds * 1000, options)
    try {
      const error = await environment.#initialize(randomUUID(), timeLimit(options.initTimeoutMs ?? 10_000))
      if (error === undefined && options.freezeBetween) await environment.freeze()
    } catch (error) {
      await environment.shutdown()
      throw error
    }
    return environment
  }

  /** The runtime's process id; undefined while there is no process. */
  get pid(): number | undefined {
    return this.#sandbox?.exitStatus === undefined ? this.#sandbox?.pid : undefined
  }

  /** All that the processes wrote to stdout and stderr. */
  get output(): string {
    return this.#output
  }

  /** Where the layers are, `/opt` on Lambda. */
  get opt(): string {
    return this.#launch.opt
  }

  /** One invocation; one at a time, since Lambda would take another environment for the second. */
  async invoke(event: unknown, { timeoutMs = this.#timeoutMs }: InvokeOptions = {}): Promise<InvocationResult> {
    if (this.#shutdown !== undefined) throw new Error('The execution environment was shut down')
    if (this.#isBusy) throw new Error('The execution environment handles another invocation; start a second one')
    this.#isBusy = true
    try {
      return await this.#invoke(JSON.stringify(event ?? null), timeLimit(timeoutMs))
    } finally {
      this.#isBusy = false
    }
  }

  /** Stops the whole environment with SIGSTOP. */
  async freeze(): Promise<void> {
    this.#isFrozen = true
    await this.#sandbox?.freeze()
  }

  /** Lets it go on with SIGCONT, without an invocation. */
  thaw(): void {
    this.#isFrozen = false
    this.#sandbox?.thaw()
  }

  /** Ends the environment as Lambda does when it needs it no longer, and removes its folders. */
  shutdown(): Promise<Shutdown> {
    this.#shutdown ??= this.#end()
    return this.#shutdown
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  async #invoke(event: string, limit: TimeLimit): Promise<InvocationResult> {
    const startedAt = performance.now()
    const deadlineMs = Date.now() + limit.ms
    const requestId = randomUUID()
    const failed = (error: FunctionError): InvocationResult => {
      return { ok: false, error, timedOut: error.errorType === 'Sandbox.Timedout', ms: performance.now() - startedAt }
    }
    if (this.#sandbox === undefined) {
      const error = await this.#initialize(requestId, limit)
      if (error !== undefined) return failed(error)
    }
    const sandbox = this.#sandbox
    if (sandbox === undefined) throw new Error('The execution environment was shut down during its init phase')
    const wasFrozen = this.#isFrozen
    this.#isFrozen = false
    const { invokedFunctionArn } = this.#launch
    const invocation = { requestId, event, deadlineMs, invokedFunctionArn, traceId: makeTraceId() }
    // A process that died while nobody looked fails this invocation, as if it had died just now.
    const answer = await orTimeUp(sandbox.invoke(invocation, wasFrozen), limit)
    if (answer === undefined) {
      await this.#discard()
      return failed(timeoutError(requestId, limit.ms))
    }
    const ms = performance.now() - startedAt
    // Lambda freezes an environment, or gives it the next invocation, when all in it have asked for more.
    const isIdle = await orTimeUp(sandbox.untilIdle(), limit)
    if (!isIdle) await this.#discard()
    else if (this.#options.freezeBetween) await this.freeze()
    // What was printed before the answer is in the pipe by now, and is read in the next turn.
    await turn()
    if ('error' in answer) return { ok: false, error: answer.error, timedOut: false, ms }
    return { ok: true, payload: JSON.parse(answer.payload), timedOut: false, ms }
  }

  /** The init phase of a new process; gives the error it ended with, if any, and leaves no sandbox then. */
  async #initialize(requestId: string, limit: TimeLimit): Promise<FunctionError | undefined> {
    const startedAt = performance.now()
    this.coldStarts += 1
    const onOutput = (text: string) => {
      this.#output += text
      this.#options.onOutput?.(text)
    }
    const sandbox = await Sandbox.start(this.#launch.sandboxOptions(onOutput), limit.signal)
    this.#sandbox = sandbox
    const error = await orTimeUp(sandbox.initialized(requestId), limit)
    this.initMs = performance.now() - startedAt
    if (error === 'ready') return undefined
    await this.#discard()
    return error ?? timeoutError(requestId, limit.ms)
  }

  async #discard(): Promise<void> {
    const sandbox = this.#sandbox
    this.#sandbox = undefined
    this.#isFrozen = false
    await sandbox?.kill()
  }

  async #end(): Promise<Shutdown> {
    const shutdown = await this.#sandbox?.shutdown()
    this.#sandbox = undefined
    await this.#launch.cleanUp()
    return shutdown ?? { signalled: false, ms: 0, exitedBy: 'nothing' }
  }
}

function timeLimit(ms: number): TimeLimit {
  return { ms, signal: AbortSignal.timeout(ms) }
}

/** `undefined` when the time is up first. */
async function orTimeUp<T>(work: Promise<T>, { signal }: TimeLimit): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const onTimeUp = () => resolve(undefined)
  if (signal.aborted) onTimeUp()
  signal.addEventListener('abort', onTimeUp, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onTimeUp)
  }
}

/** X-Ray's form: version, seconds since the epoch, random bits. */
function makeTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000).toString(16)
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`
}
