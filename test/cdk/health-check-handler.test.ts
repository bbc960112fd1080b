import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const HANDLER = join(import.meta.dirname, '../../dist/health-check/index.mjs')

/** Secrets Manager where nothing listens: the discard port of loopback. */
const UNREACHABLE = {
  COCKROACH_SECRET_ID: 'app/db',
  AWS_REGION: 'ap-southeast-1',
  AWS_ACCESS_KEY_ID: 'AKID',
  AWS_SECRET_ACCESS_KEY: 's',
  AWS_MAX_ATTEMPTS: '1',
  AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9',
}

/** Invokes the built handler in a process of its own. */
function invoke(event: unknown): unknown {
  const code = `import { handler } from ${JSON.stringify(HANDLER)}
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 3000 }
    const answer = await handler(${JSON.stringify(event)}, context).catch(({ name, message }) => ({ thrown: { name, message } }))
    console.log(JSON.stringify(answer))`
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8', env: UNREACHABLE }),
  )
}

test('the handler is one file, which imports the library by name', () => {
  expect(readFileSync(HANDLER, 'utf8').match(/from ["'][^"']+["']/g)).toEqual(['from "cockroach-lambda"'])
})

describe('when the secret cannot be read', () => {
  const report = { ok: false, error: expect.objectContaining({ code: 'ERR_SECRET_UNAVAILABLE' }) }

  test.each([
    ['{}', {}],
    ['null', null],
    ['text', 'ping'],
  ])('a direct invocation with %s gets the report', (_name, event) => {
    expect(invoke(event)).toMatchObject(report)
  })

  test.each([
    [
      'a function URL',
      { version: '2.0', rawPath: '/', requestContext: { domainName: 'x.lambda-url', http: { method: 'GET' } } },
    ],
    [
      'API Gateway v2',
      { version: '2.0', routeKey: 'GET /', requestContext: { stage: '$default', http: { method: 'GET' } } },
    ],
  ])('%s gets 503 and the report as JSON', (_name, event) => {
    const answer = invoke(event)
    expect(answer).toMatchObject({ statusCode: 503, headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(String(Object(answer).body))).toMatchObject(report)
  })

  test("a schedule gets an error, which Lambda counts, with the report's code and hint", () => {
    const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} }
    const thrown = { name: 'ERR_SECRET_UNAVAILABLE', message: expect.stringMatching(/app\/db.*\(.+\)$/s) }
    expect(invoke(event)).toEqual({ thrown })
  })
})
