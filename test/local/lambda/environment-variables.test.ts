import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startFunction } from '../../support/lambda.ts'

const RUNTIME_FOLDER = join(import.meta.dirname, '../../../local/lambda/runtime')

test("the process's variables are those of Lambda, the function and the options, and no others", async () => {
  const environment = await startFunction(
    'echo.handler',
    { environment: { PGSSLROOTCERT: '/opt/certs/root.crt', LISTED: '/opt/a:/opt/b', OTHER: 'x/opt/y' } },
    { region: 'ap-southeast-1', environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:1' } },
  )
  const result = await environment.invoke({})
  const { opt } = environment
  expect(result).toHaveProperty('payload.environment', {
    _HANDLER: 'echo.handler',
    _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-[\da-f]{8}-[\da-f]{24};Parent=[\da-f]{16};Sampled=0$/),
    AWS_ACCESS_KEY_ID: expect.any(String),
    AWS_DEFAULT_REGION: 'ap-southeast-1',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:1',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_LAMBDA_FUNCTION_NAME: 'local-function',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/local-function',
    AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][\da-f]{32}$/),
    AWS_LAMBDA_RUNTIME_API: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    AWS_REGION: 'ap-southeast-1',
    AWS_SECRET_ACCESS_KEY: expect.any(String),
    AWS_SESSION_TOKEN: 'local-session-token',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    HOME: expect.any(String),
    LAMBDA_RUNTIME_DIR: RUNTIME_FOLDER,
    LAMBDA_TASK_ROOT: expect.any(String),
    LANG: 'en_US.UTF-8',
    LD_LIBRARY_PATH: expect.stringContaining(`${opt}/lib`),
    LISTED: `${opt}/a:${opt}/b`,
    NODE_PATH: expect.stringContaining(
      `${opt}/nodejs/node24/node_modules:${opt}/nodejs/node_modules:${RUNTIME_FOLDER}/`,
    ),
    OTHER: 'x/opt/y',
    PATH: expect.any(String),
    PGSSLROOTCERT: `${opt}/certs/root.crt`,
    TMPDIR: expect.any(String),
    TZ: ':UTC',
  })
  expect(result).toHaveProperty('payload.cwd', Object(result.payload).environment.LAMBDA_TASK_ROOT)
})

test('the reserved names _HANDLER and AWS_REGION are refused in the words of Lambda', async () => {
  const environment = { AWS_REGION: 'x', _HANDLER: 'y', A: 'b' }
  await expect(startFunction('echo.handler', { environment })).rejects.toThrow(
    'Reserved keys used in this request: _HANDLER, AWS_REGION',
  )
})
