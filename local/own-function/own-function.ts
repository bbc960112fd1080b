/** The reader's function on the layer, in one execution environment, which is replaced when the code has changed. */
import type { ExecutionEnvironment } from '../lambda/execution-environment.ts'
import type { FunctionDefinition } from '../lambda/function-definition.ts'
import type { FunctionError } from '../lambda/function-error.ts'
import type { Services } from '../services.ts'
import { checkFunctionFolder } from './function-folder.ts'

/** Where the function is, and how it is run. */
export interface FunctionSource {
  readonly folder: string
  /** `<file without extension>.<export>`. */
  readonly handler: string
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>
  readonly runtime: FunctionDefinition['runtime']
  /** The Node.js of that runtime. */
  readonly nodeBinary: string
}

export interface OwnInvocation {
  readonly kind: 'cold' | 'warm' | 'thawed'
  readonly ok: boolean
  /** Milliseconds; a cold one counts its init phase. */
  readonly ms: number
  /** Logins that the database accepted meanwhile: none where the connection is reused. */
  readonly logins: number
  /** What the function wrote to stdout and stderr, of init too if it is a cold one. */
  readonly log: string
  readonly result?: unknown
  readonly error?: FunctionError
}

/** The part of the services that is used. */
export type OwnServices = Pick<Services, 'layer' | 'rootCertificateLayer' | 'secretId' | 'cloud' | 'startEnvironment'>

/** Long enough to look at something, unlike Lambda's own three seconds. */
const TIMEOUT_SECONDS = 30
const MEMORY_MB = 512

export class OwnFunction implements AsyncDisposable {
  readonly #services: OwnServices
  readonly #source: FunctionSource
  #environment: ExecutionEnvironment
  readonly #before = { coldStarts: 0, output: 0, logins: 0 }
  #isFrozen = false

  private constructor(services: OwnServices, source: FunctionSource, environment: ExecutionEnvironment) {
    this.#services = services
    this.#source = source
    this.#environment = environment
    this.#before.output = outputOfFailedInit(environment)
  }

  /** Runs the init phase; its error, if any, is the first invocation's. */
  static async start(services: OwnServices, source: FunctionSource): Promise<OwnFunction> {
    return new OwnFunction(services, source, await startEnvironment(services, source))
  }

  /** One invocation, in the environment's next state; the function's errors are in what is returned. */
  async invoke(event: unknown): Promise<OwnInvocation> {
    const environment = this.#environment
    const { coldStarts, output, logins } = this.#before
    const result = await environment.invoke(event)
    const isCold = environment.coldStarts > coldStarts
    // A process that had ended, or could not start, was started by this invocation, and its time is counted already.
    const initMs = isCold && coldStarts === 0 && environment.coldStarts === 1 ? environment.initMs : 0
    const kind = isCold ? 'cold' : this.#isFrozen ? 'thawed' : 'warm'
    const { authOk } = this.#services.cloud.counts
    this.#isFrozen = false
    Object.assign(this.#before, {
      coldStarts: environment.coldStarts,
      output: environment.output.length,
      logins: authOk,
    })
    return {
      kind,
      ok: result.ok,
      ms: Math.round((result.ms + initMs) * 10) / 10,
      logins: authOk - logins,
      log: environment.output.slice(output),
      ...(result.error === undefined ? { result: result.payload } : { error: result.error }),
    }
  }

  async freeze(): Promise<void> {
    await this.#environment.freeze()
    this.#isFrozen = true
  }

  /** Starts the code that is in the folder now. Until that has succeeded, the one before stays. */
  async reload(): Promise<void> {
    const { counts } = this.#services.cloud
    const logins = counts.authOk
    const environment = await startEnvironment(this.#services, this.#source)
    await this.#environment.shutdown()
    this.#environment = environment
    this.#isFrozen = false
    Object.assign(this.#before, { coldStarts: 0, output: outputOfFailedInit(environment), logins })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#environment.shutdown()
  }
}

/** How much of the output to leave out: an init phase that failed is run, and logged, again by the first invocation. */
function outputOfFailedInit({ pid, output }: ExecutionEnvironment): number {
  return pid === undefined ? output.length : 0
}

async function startEnvironment(
  services: OwnServices,
  { folder, handler, environment, runtime, nodeBinary }: FunctionSource,
): Promise<ExecutionEnvironment> {
  await checkFunctionFolder(folder, handler)
  const definition: FunctionDefinition = {
    ...{ handler, runtime, code: folder },
    layers: [services.layer.path, services.rootCertificateLayer],
    environment: { COCKROACH_SECRET_ID: services.secretId, ...environment },
    timeoutSeconds: TIMEOUT_SECONDS,
    memoryMb: MEMORY_MB,
  }
  return await services.startEnvironment(definition, { nodeBinary })
}
