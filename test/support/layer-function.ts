/** Functions that are bundled with packages of their own, on the built layer, in a Lambda runtime. */
import { join } from 'node:path'
import { build } from 'esbuild'
import type { ExecutionEnvironment, ExecutionEnvironmentOptions } from '../../local/lambda/execution-environment.ts'
import type { FunctionDefinition, LambdaRuntime } from '../../local/lambda/function-definition.ts'
import { nodePath } from '../../local/node-versions.ts'
import { startFunction } from './lambda.ts'
import type { Product } from './product.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
export const LAYER = join(REPOSITORY, 'dist/layer.zip')
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback/names-preload.ts')

/** Lambda's runtimes, the next one among them, and the Node that each runs here. */
export const RUNTIMES: readonly (readonly [LambdaRuntime, string])[] = [
  ['nodejs22.x', nodePath(22)],
  ['nodejs24.x', process.execPath],
  ['nodejs26.x', nodePath(26)],
]

/** Bundles an ES module below `test/fixtures` with all that it imports but this package into `folder`, as `index.mjs`. */
export async function bundleFunction(fixture: string, folder: string): Promise<string> {
  await build({
    entryPoints: [join(REPOSITORY, 'test/fixtures', fixture)],
    outfile: join(folder, 'index.mjs'),
    ...{ bundle: true, platform: 'node', format: 'esm', external: ['cockroach-lambda', 'pg-native'] },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    // tsconfig.json maps this package's name to its sources; here it has to stay a name.
    tsconfigRaw: {},
    logLevel: 'error',
  })
  return folder
}

/** Starts the function `index.<handler>` of `code` with the product's secret; it ends with its test. */
export function startOnLayer(
  { secretId, secretsManager }: Product,
  code: string,
  { handler = 'handler', ...changes }: Partial<FunctionDefinition> = {},
  options: ExecutionEnvironmentOptions = {},
): Promise<ExecutionEnvironment> {
  const environment = { COCKROACH_SECRET_ID: secretId, ...changes.environment }
  return startFunction(
    `index.${handler}`,
    { code, layers: [LAYER], timeoutSeconds: 20, ...changes, environment },
    {
      ...options,
      execArgv: [`--import=${LOOPBACK_NAMES}`],
      environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url },
    },
  )
}
