/** The sample stack on this machine: its template is synthesised, and its function runs among the stand-ins. */
import { join } from 'node:path'
import type { ExecutionEnvironment, ExecutionEnvironmentOptions } from '../lambda/execution-environment.ts'
import type { FunctionDefinition } from '../lambda/function-definition.ts'
import { functionFromTemplate } from '../lambda/template.ts'
import { runScript } from '../repository-script.ts'
import { type Services, type ServicesOptions, startServices } from '../services.ts'

const STACK = 'CockroachHealthCheck'

export interface SampleStack extends Omit<Services, 'startEnvironment'> {
  /** The health-check function, as the template has it. */
  readonly definition: FunctionDefinition
  /** A new execution environment of that function. */
  startEnvironment(options?: ExecutionEnvironmentOptions): Promise<ExecutionEnvironment>
}

/** Runs the app as `cdk synth` would, with the stand-in's authority instead of the public ones. */
async function synthesise(
  { secretId: secretName, rootCertificate }: Services,
  cdkOut: string,
  signal?: AbortSignal,
): Promise<void> {
  const context = JSON.stringify({ secretName, rootCertificate })
  await runScript('cdk/app.ts', { variables: { CDK_OUTDIR: cdkOut, CDK_CONTEXT_JSON: context }, signal })
}

/**
 * Builds and starts everything; takes some seconds.
 *
 * @throws Error saying which step failed; nothing is left running then.
 */
export async function startSampleStack(options: ServicesOptions = {}): Promise<SampleStack> {
  await using stack = new AsyncDisposableStack()
  const services = stack.use(await startServices(options))
  const cdkOut = join(services.folder, 'cdk.out')
  options.onProgress?.('synthesising the stack')
  await synthesise(services, cdkOut, options.signal)
  const definition = await functionFromTemplate({ cdkOut, stackName: STACK, resolve: () => services.secretId })
  const moved = stack.move()
  return {
    ...services,
    definition,
    startEnvironment: (environment) => services.startEnvironment(definition, environment),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}
