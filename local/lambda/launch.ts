/** How a function is launched: its folders on this machine, Node's arguments, the variables of its process. */
import { join } from 'node:path'
import { environmentVariables, type InitializationType } from './environment-variables.ts'
import type { FunctionDefinition } from './function-definition.ts'
import type { SandboxOptions } from './sandbox.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from './temporary-folder.ts'
import { type UnpackedFolder, unpack } from './unpacked-folder.ts'

const RUNTIME_FOLDER = join(import.meta.dirname, 'runtime')

/** Lambda's switches for Node 22; later ones run with Node's own defaults. */
const NODE_FLAGS: Readonly<Record<FunctionDefinition['runtime'], readonly string[]>> = {
  'nodejs22.x': ['--no-experimental-require-module', '--no-experimental-detect-module'],
  'nodejs24.x': [],
  'nodejs26.x': [],
}

export interface LaunchOptions {
  /** @default process.execPath */
  readonly nodeBinary?: string
  /** The runtime's script, for another runtime than ours, like AWS's own client. @default runtime/bootstrap.mjs */
  readonly bootstrap?: string
  /** Arguments for Node itself, like `--import` of a preload. */
  readonly execArgv?: readonly string[]
  /** Take precedence over the variables that Lambda and the function set. */
  readonly environment?: Readonly<Record<string, string>>
  /**
   * After init, `snap-start` is frozen until the first invocation: the one process is the snapshot, and what is restored
   * from it. @default on-demand, or lambda-managed-instances with maxConcurrency
   */
  readonly initializationType?: InitializationType
  /** Managed Instances: this many invocations at once in one environment, which is never frozen. @default 1, not managed */
  readonly maxConcurrency?: number
  /** Managed Instances: how many worker threads share the invocations, each with its own modules. @default 1 */
  readonly workerCount?: number
  /** @default local-function */
  readonly functionName?: string
  /** @default us-east-1 */
  readonly region?: string
  /** AWS_SESSION_TOKEN. @default local-session-token */
  readonly sessionToken?: string
}

/** What every process of one execution environment is launched with. */
export class Launch {
  readonly functionName: string
  readonly invokedFunctionArn: string
  readonly #definition: FunctionDefinition
  readonly #options: LaunchOptions
  readonly #region: string
  readonly #task: UnpackedFolder
  readonly #opt: UnpackedFolder
  readonly #tmp: string

  private constructor(
    definition: FunctionDefinition,
    options: LaunchOptions,
    folders: { task: UnpackedFolder; opt: UnpackedFolder; tmp: string },
  ) {
    this.#definition = definition
    this.#options = options
    this.#task = folders.task
    this.#opt = folders.opt
    this.#tmp = folders.tmp
    this.functionName = options.functionName ?? 'local-function'
    this.#region = options.region ?? 'us-east-1'
    this.invokedFunctionArn = `arn:aws:lambda:${this.#region}:123456789012:function:${this.functionName}`
  }

  /** Unpacks code and layers. */
  static async prepare(definition: FunctionDefinition, options: LaunchOptions): Promise<Launch> {
    const task = await unpack([definition.code])
    const opt = await unpack(definition.layers).catch(async (error: unknown) => {
      await task.release()
      throw error
    })
    return new Launch(definition, options, { task, opt, tmp: await makeTemporaryFolder() })
  }

  /** Where the layers are, `/opt` on Lambda. */
  get opt(): string {
    return this.#opt.path
  }

  /** For one sandbox. */
  sandboxOptions(onOutput: (text: string) => void): SandboxOptions {
    const { handler, memoryMb, runtime } = this.#definition
    const { nodeBinary = process.execPath, execArgv = [], maxConcurrency, workerCount = 1 } = this.#options
    const isManaged = maxConcurrency !== undefined
    const { initializationType = isManaged ? 'lambda-managed-instances' : 'on-demand' } = this.#options
    const { bootstrap = join(RUNTIME_FOLDER, 'bootstrap.mjs') } = this.#options
    return {
      functionName: this.functionName,
      handler,
      maxConcurrency,
      nodeBinary,
      args: [
        ...NODE_FLAGS[runtime],
        '--max-http-header-size=81920',
        `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`,
        `--import=${join(RUNTIME_FOLDER, 'node-path.mjs')}`,
        ...execArgv,
        bootstrap,
      ],
      task: this.#task.path,
      opt: this.opt,
      environment: (runtimeApi) =>
        environmentVariables(this.#definition, {
          functionName: this.functionName,
          region: this.#region,
          sessionToken: this.#options.sessionToken ?? 'local-session-token',
          initializationType,
          managed: isManaged ? { maxConcurrency, workerCount } : undefined,
          nodeBinary,
          opt: this.opt,
          task: this.#task.path,
          runtime: RUNTIME_FOLDER,
          tmp: this.#tmp,
          runtimeApi,
          environment: this.#options.environment ?? {},
        }),
      onOutput,
    }
  }

  /** Releases the folders. */
  async cleanUp(): Promise<void> {
    await Promise.all([this.#task.release(), this.#opt.release(), removeTemporaryFolder(this.#tmp)])
  }
}
