/** A Lambda execution environment on this machine: invoked often, frozen in between, and restarted after its process has ended. */
import { randomBytes, randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { FunctionDefinition } from './function-definition.ts'
import { type FunctionError, timeoutError } from './function-error.ts'
import type { InvocationResult, InvokeOptions } from './invocation-result.ts'
import { Launch, type LaunchOptions } from './launch.ts'
import { Sandbox, type Shutdown } from './sandbox.ts'
import { orTimeUp, type TimeLimit, timeLimit } from './time-limit.ts'

export interface ExecutionEnvironmentOptions extends LaunchOptions {
  /** Freeze after each response, as Lambda does. @default false */
  readonly freezeBetween?: boolean
  /** How long the init phase may take before it is run again inside the first invocation. @default 10000 */
  readonly initTimeoutMs?: number
  /** Called with what the processes write to stdout and stderr. */
  readonly onOutput?: (text: string) => void
  /** Called at the end of the shutdown phase, before SIGKILL: the system has not closed the process's connections yet. */
  readonly onKill?: () => void
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
  #running = 0
  #initializing: Promise<FunctionError | undefined> | undefined
  #shutdown: Promise<Shutdown> | undefined

  private constructor(launch: Launch, timeoutMs: number, options: ExecutionEnvironmentOptions) {
    this.#launch = launch
    this.#timeoutMs = timeoutMs
    this.#options = options
  }

  /**
   * Unpacks code and layers and runs the init phase. An init phase that fails is run again by the first invocation,
   * which has its error.
   */
  static async start(
    definition: FunctionDefinition,
    options: ExecutionEnvironmentOptions = {},
  ): Promise<ExecutionEnvironment> {
    const launch = await Launch.prepare(definition, options)
    const environment = new ExecutionEnvironment(launch, definition.timeoutSeconds * 1000, options)
    try {
      if (options.freezeBetween) environment.#assertFreezes()
      const error = await environment.#initialize(randomUUID(), timeLimit(options.initTimeoutMs ?? 10_000))
      const isFrozen = options.freezeBetween || options.initializationType === 'snap-start'
      if (error === undefined && isFrozen) await environment.freeze()
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

  /** One invocation; one at a time except on Managed Instances, since Lambda would use another environment for the second. */
  async invoke(event: unknown, { timeoutMs = this.#timeoutMs }: InvokeOptions = {}): Promise<InvocationResult> {
    if (this.#shutdown !== undefined) throw new Error('The execution environment was shut down')
    const { maxConcurrency = 1 } = this.#options
    if (this.#running >= maxConcurrency) {
      const others = maxConcurrency === 1 ? 'another invocation' : `${maxConcurrency} invocations`
      throw new Error(`The execution environment handles ${others}; start a second one`)
    }
    this.#running += 1
    try {
      return await this.#invoke(JSON.stringify(event ?? null), timeLimit(timeoutMs))
    } finally {
      this.#running -= 1
    }
  }

  /** Stops the whole environment with SIGSTOP. */
  async freeze(): Promise<void> {
    this.#assertFreezes()
    this.#isFrozen = true
    await this.#sandbox?.freeze()
  }

  /** Lets it go on with SIGCONT, without an invocation. */
  thaw(): void {
    this.#isFrozen = false
    this.#sandbox?.thaw()
  }

  /** Ends the environment as Lambda does with an unused one, and removes its folders. */
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
    if (this.#sandbox === undefined || this.#initializing !== undefined) {
      this.#initializing ??= this.#initialize(requestId, limit).finally(() => {
        this.#initializing = undefined
      })
      const error = await this.#initializing
      if (error !== undefined) return failed(error)
    }
    const sandbox = this.#sandbox
    if (sandbox === undefined) throw new Error('The execution environment was shut down during its init phase')
    const wasFrozen = this.#isFrozen
    this.#isFrozen = false
    const { invokedFunctionArn } = this.#launch
    const invocation = { requestId, event, deadlineMs, invokedFunctionArn, traceId: makeTraceId() }
    // A process that ended since the last invocation fails this one.
    const answer = await orTimeUp(sandbox.invoke(invocation, wasFrozen), limit)
    const isManaged = this.#options.maxConcurrency !== undefined
    if (answer === undefined) {
      // On Managed Instances the other invocations continue, and so does the function's code.
      if (!isManaged) await this.#discard(sandbox)
      return failed(timeoutError(requestId, limit.ms))
    }
    const ms = performance.now() - startedAt
    // Lambda freezes an environment, or sends it the next invocation, when its runtime and extensions wait for their next event.
    const isIdle = isManaged ? sandbox.exitStatus === undefined : await orTimeUp(sandbox.untilIdle(), limit)
    if (!isIdle) await this.#discard(sandbox)
    else if (this.#options.freezeBetween) await this.freeze()
    // What was printed before the answer is in the pipe by now, and is read in the next turn.
    await turn()
    if ('error' in answer) return { ok: false, error: answer.error, timedOut: false, ms }
    return { ok: true, payload: JSON.parse(answer.payload), timedOut: false, ms }
  }

  /** The init phase of a new process; returns its error, if any, and then leaves no sandbox. */
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
    await this.#discard(sandbox)
    return error ?? timeoutError(requestId, limit.ms)
  }

  async #discard(sandbox: Sandbox): Promise<void> {
    if (this.#sandbox === sandbox) {
      this.#sandbox = undefined
      this.#isFrozen = false
    }
    await sandbox.kill()
  }

  #assertFreezes(): void {
    if (this.#options.maxConcurrency !== undefined) throw new Error('Managed Instances are never frozen')
  }

  async #end(): Promise<Shutdown> {
    const shutdown = await this.#sandbox?.shutdown(this.#options.onKill ?? (() => undefined))
    this.#sandbox = undefined
    await this.#launch.cleanUp()
    return shutdown ?? { signalled: false, ms: 0, exitedBy: 'nothing' }
  }
}

/** X-Ray's form: version, seconds since the epoch, random bits. */
function makeTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000).toString(16)
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`
}
