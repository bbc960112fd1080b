/** Functions with the sample stack's layer and secret, for outside runtimes. */
import { join } from 'node:path'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from '../../../local/lambda/execution-environment.ts'
import type { FunctionDefinition, LambdaRuntime } from '../../../local/lambda/function-definition.ts'
import { nodePath } from '../../../local/node-versions.ts'
import type { SampleStack } from '../../../local/sample/stack.ts'
import { outsidePart } from './outside-part.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')

/** Lambda's runtimes, and the Node that each runs here. */
export const NODE_BINARIES: Readonly<Record<LambdaRuntime, string>> = {
  'nodejs22.x': nodePath(22),
  'nodejs24.x': process.execPath,
  'nodejs26.x': nodePath(26),
}

export const LOOPBACK_NAMES = `--import=${join(REPOSITORY, 'local/loopback/names-preload.ts')}`

/** A function of ours instead of the health check's, with the same layer and variables. */
export function fixtureFunction(name: string): Partial<FunctionDefinition> {
  return { code: join(REPOSITORY, 'test/fixtures/fidelity', name) }
}

/** The script of AWS's runtime interface client; it loads its native client from beside it. */
export function runtimeInterfaceClient(): string {
  const folder = 'node_modules/aws-lambda-ric'
  outsidePart('runtime-interface-client', `${folder}/rapid-client.node`)
  return outsidePart('runtime-interface-client', `${folder}/index.mjs`)
}

/** An execution environment under AWS's client: the stack's function, but for what differs. */
export async function startUnderClient(
  stack: SampleStack,
  changes: Partial<FunctionDefinition> = {},
  options: ExecutionEnvironmentOptions = {},
): Promise<ExecutionEnvironment> {
  const definition = { ...stack.definition, ...changes }
  return await ExecutionEnvironment.start(definition, {
    bootstrap: runtimeInterfaceClient(),
    nodeBinary: NODE_BINARIES[definition.runtime],
    execArgv: [LOOPBACK_NAMES],
    ...options,
    environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: stack.secretsManager.url, ...options.environment },
  })
}
