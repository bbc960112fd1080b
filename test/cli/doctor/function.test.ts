import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { answerJson, LoopbackHttpServer } from '../../../local/loopback/http-server.ts'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'

const SECRET_ID = ['--secret-id', 'app/db']

interface Answer {
  readonly status?: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

let stage: CommandStage
let lambda: LoopbackHttpServer
let answer: () => Answer | Promise<Answer>
let invocations: string[]

/** The health check that a deployed function runs, with the same secret. */
async function healthy(): Promise<Answer> {
  return { body: await stage.database().healthCheck() }
}

beforeAll(async () => {
  stage = await openCommandStage()
  lambda = await LoopbackHttpServer.start(async (request, response) => {
    invocations.push(`${request.method} ${request.url} ${await text(request)}`)
    const { status = 200, body, headers } = await answer()
    answerJson(response, status, body, headers)
  })
  process.env.AWS_ENDPOINT_URL_LAMBDA = lambda.url
})

beforeEach(() => {
  invocations = []
  answer = healthy
  stage.store(stage.fields)
})

afterAll(async () => {
  await lambda?.stop()
  await stage?.[Symbol.asyncDispose]()
})

async function ask(...words: string[]) {
  const { code, stdout } = await stage.run(['doctor', '--function', 'health-check', '--json', ...words])
  return { code, report: JSON.parse(stdout) }
}

test('the function is invoked once, with an empty event', async () => {
  const { code, report } = await ask(...SECRET_ID)
  expect({ code, here: report.here.ok, there: report.function.health.ok }).toEqual({ code: 0, here: true, there: true })
  expect(invocations).toEqual(['POST /2015-03-31/functions/health-check/invocations {}'])
})

test('both reports are laid side by side: what is the same once, what differs twice', async () => {
  answer = async () => {
    const { body } = await healthy()
    return { body: { ...Object(body), rootCertificate: { origin: 'layer', path: '/opt/certs/root.crt' } } }
  }
  const { code, stdout } = await stage.run(['doctor', '--function', 'health-check', ...SECRET_ID])
  expect(code).toBe(0)
  expect(stdout).toMatch(/✓ round trip[\s\S]+The function health-check:\nok +true, both\n/)
  expect(stdout).toMatch(/^host +\S+:\d+, both$|^host\s+\S+:\d+,\s+both$/m)
  expect(stdout).toMatch(/^root certificate +here: secret\n +function: \/opt\/certs\/root\.crt$/m)
  expect(stdout.match(/All is well\./g)).toHaveLength(2)
})

test('an answer for HTTP is read as well', async () => {
  answer = async () => ({ body: { statusCode: 200, body: JSON.stringify((await healthy()).body) } })
  expect(await ask(...SECRET_ID)).toMatchObject({ code: 0, report: { function: { health: { ok: true } } } })
})

test('without a secret here, the function alone is asked', async () => {
  const { code, report } = await ask()
  expect({ code, here: report.here, ok: report.function.health.ok }).toEqual({ code: 0, here: undefined, ok: true })
})

test('a failure of the function has its exit code and remedy, though all is well here', async () => {
  answer = () => ({
    body: {
      ok: false,
      timings: { totalMs: 20 },
      error: {
        code: 'ERR_SERVER_REFUSED',
        message: 'connecting failed: codeProxyRefusedConnection: connection refused',
      },
    },
  })
  const { code, report } = await ask(...SECRET_ID)
  expect({ code, here: report.here.ok }).toEqual({ code: 10, here: true })
  expect(report.function.failure.mend.join('\n')).toMatch(/NAT gateway/)
  const { stdout } = await stage.run(['doctor', '--function', 'health-check', ...SECRET_ID])
  expect(stdout).toMatch(/^ok +here: true\n +function: false$/m)
})

test('a failure here has its exit code, though the function is well', async () => {
  const body = (await healthy()).body
  answer = () => ({ body })
  stage.store({ ...stage.fields, sslrootcert: undefined })
  const { code, report } = await ask(...SECRET_ID)
  expect({ code, there: report.function.health.ok }).toEqual({ code: 7, there: true })
})

test.each<[string, Answer, number, RegExp]>([
  [
    'is not there',
    { status: 404, body: { Message: 'not found' }, headers: { 'x-amzn-errortype': 'ResourceNotFoundException' } },
    9,
    /list-functions/,
  ],
  [
    'may not be invoked',
    { status: 403, body: { Message: 'no' }, headers: { 'x-amzn-errortype': 'AccessDeniedException' } },
    9,
    /lambda:InvokeFunction/,
  ],
  [
    'throws',
    { body: { errorMessage: 'pw' }, headers: { 'x-amz-function-error': 'Unhandled' } },
    9,
    /aws logs tail \/aws\/lambda\/health-check/,
  ],
  ['is another', { body: { greeting: 'hello' } }, 3, /healthCheck\(\)/],
])('a function that %s is explained', async (_, given, exitCode, mend) => {
  answer = () => given
  const { code, report } = await ask()
  expect(code).toBe(exitCode)
  expect(report.function.failure.mend.join('\n')).toMatch(mend)
})

test('control characters of an answer do not reach the terminal', async () => {
  answer = async () => ({ body: { ...Object((await healthy()).body), server: { name: '\u001b[2J', version: '1' } } })
  const { stdout } = await stage.run(['doctor', '--function', 'health-check'])
  expect(stdout).not.toContain('\u001b')
})
