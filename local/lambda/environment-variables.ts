/** The environment variables that Lambda gives a function's process. */
import { randomUUID } from 'node:crypto'
import { delimiter, dirname } from 'node:path'
import type { FunctionDefinition } from './function-definition.ts'

export type InitializationType = 'on-demand' | 'provisioned-concurrency' | 'snap-start' | 'lambda-managed-instances'

/** Names that Lambda does not let a function set. */
const RESERVED = [
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_MAX_CONCURRENCY',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]

export interface Surroundings {
  readonly functionName: string
  readonly region: string
  readonly sessionToken: string
  readonly initializationType: InitializationType
  /** On Managed Instances: invocations at once, and the worker threads that share them. */
  readonly managed: { readonly maxConcurrency: number; readonly workerCount: number } | undefined
  readonly nodeBinary: string
  /** Where `/opt`, `/var/task`, `/var/runtime` and `/tmp` are here. */
  readonly opt: string
  readonly task: string
  readonly runtime: string
  readonly tmp: string
  /** Host and port of the Runtime API. */
  readonly runtimeApi: string
  /** Take precedence over all others; for what this machine adds to Lambda's own, such as the addresses of stand-ins. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * All variables of the process; nothing is inherited from ours.
 * @throws Error, in Lambda's words, when the function sets a reserved variable.
 */
export function environmentVariables(definition: FunctionDefinition, around: Surroundings): Record<string, string> {
  const { opt, task, runtime } = around
  const reserved = RESERVED.filter((name) => name in definition.environment)
  if (reserved.length > 0) {
    throw new Error(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    )
  }
  const nodeFolder = definition.runtime.replace(/^nodejs(\d+)\.x$/, 'node$1')
  const date = new Date().toISOString().slice(0, 10).replaceAll('-', '/')
  return {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: [dirname(around.nodeBinary), '/usr/local/bin', '/usr/bin', '/bin', `${opt}/bin`].join(delimiter),
    LD_LIBRARY_PATH: [runtime, `${runtime}/lib`, task, `${task}/lib`, `${opt}/lib`].join(delimiter),
    NODE_PATH: [
      `${opt}/nodejs/${nodeFolder}/node_modules`,
      `${opt}/nodejs/node_modules`,
      `${runtime}/node_modules`,
      runtime,
      task,
    ].join(delimiter),
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    // On Lambda this folder does not exist either.
    HOME: '/home/sbx_user1051',
    TMPDIR: around.tmp,
    ...withOptAt(opt, definition.environment),
    _HANDLER: definition.handler,
    LAMBDA_TASK_ROOT: task,
    LAMBDA_RUNTIME_DIR: runtime,
    AWS_LAMBDA_RUNTIME_API: around.runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: around.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${around.functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${date}/[$LATEST]${randomUUID().replaceAll('-', '')}`,
    AWS_LAMBDA_INITIALIZATION_TYPE: around.initializationType,
    ...(around.managed !== undefined && {
      AWS_LAMBDA_MAX_CONCURRENCY: String(around.managed.maxConcurrency),
      AWS_LAMBDA_NODEJS_WORKER_COUNT: String(around.managed.workerCount),
    }),
    AWS_EXECUTION_ENV: `AWS_Lambda_${definition.runtime}`,
    AWS_REGION: around.region,
    AWS_DEFAULT_REGION: around.region,
    AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'local-secret-access-key',
    AWS_SESSION_TOKEN: around.sessionToken,
    ...around.environment,
  }
}

/** A value that begins with `/opt/` is a path, or a list of paths, in the layers. */
function withOptAt(opt: string, environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.startsWith('/opt/') ? value.replace(/(^|:)\/opt(?=\/)/g, (_, before: string) => before + opt) : value,
    ]),
  )
}
