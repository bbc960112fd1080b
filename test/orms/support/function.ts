/** Runs a folder of code with its packages as a Lambda function: on the built layer, or with the packed npm package in it. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { copyPackages } from '../../../cdk/package-closure.ts'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from '../../../local/lambda/execution-environment.ts'
import { Scratch } from '../../support/lambda.ts'
import { installPackedPackage } from '../../support/packed-package.ts'
import { openProduct, type Product } from '../../support/product.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
const LAYER = join(REPOSITORY, 'dist/layer.zip')
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback/names-preload.ts')
/** More than one statement of the slowest machine needs; no test waits for it. */
const TIMEOUT_SECONDS = 60

/** How a function has the library. */
export const FORMS = ['layer', 'npm package'] as const
export type Form = (typeof FORMS)[number]

export interface FunctionOptions {
  readonly handler?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly runner?: ExecutionEnvironmentOptions
}

/** A database behind verified TLS, its secret, and functions that use it. */
export class OrmStage implements AsyncDisposable {
  readonly product: Product
  readonly scratch: Scratch
  readonly #environments: ExecutionEnvironment[] = []
  #packed: string | undefined

  private constructor(product: Product, scratch: Scratch) {
    this.product = product
    this.scratch = scratch
  }

  static async open(): Promise<OrmStage> {
    return new OrmStage(await openProduct(), await Scratch.make())
  }

  /** The code of a function in this form: the folder itself on the layer, else a copy with the package in it. */
  async codeFor(form: Form, code: string): Promise<string> {
    if (form === 'layer') return code
    const copy = `${code}-with-package`
    await cp(code, copy, { recursive: true })
    await cp(this.#packedPackage(), join(copy, 'node_modules/cockroach-lambda'), { recursive: true })
    await copyPackages(['pg'], REPOSITORY, copy)
    return copy
  }

  #packedPackage(): string {
    if (this.#packed === undefined) {
      installPackedPackage(this.scratch.path)
      this.#packed = join(this.scratch.path, 'node_modules/cockroach-lambda')
    }
    return this.#packed
  }

  async start(form: Form, code: string, options: FunctionOptions = {}): Promise<ExecutionEnvironment> {
    const { handler = 'index.handler', environment = {}, runner = {} } = options
    const { secretsManager, secretId } = this.product
    const started = await ExecutionEnvironment.start(
      {
        ...{ handler, code, layers: form === 'layer' ? [LAYER] : [] },
        environment: { COCKROACH_SECRET_ID: secretId, ...environment },
        ...{ timeoutSeconds: TIMEOUT_SECONDS, memoryMb: 1024, runtime: 'nodejs24.x' },
      },
      {
        ...runner,
        // Loading an ORM on a machine that builds something else as well takes longer than Lambda's 10 s.
        initTimeoutMs: TIMEOUT_SECONDS * 1000,
        execArgv: [`--import=${LOOPBACK_NAMES}`],
        environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url },
      },
    )
    this.#environments.push(started)
    return started
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#environments.map((environment) => environment.shutdown()))
    await this.scratch[Symbol.asyncDispose]()
    await this.product[Symbol.asyncDispose]()
  }
}

/** The payload of an invocation that must succeed. */
export async function payloadOf(environment: ExecutionEnvironment, event: unknown = {}): Promise<unknown> {
  const result = await environment.invoke(event)
  if (!result.ok) {
    throw new Error(`${result.error?.errorType}: ${result.error?.errorMessage}\n${environment.output.slice(-4000)}`)
  }
  return result.payload
}
