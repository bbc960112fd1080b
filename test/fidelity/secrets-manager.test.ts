import { SecretsManager, SecretsManagerServiceException } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SecretsManagerStandIn } from '../../local/secrets-manager/stand-in.ts'
import { type LoopbackServer, startLoopbackServer } from './support/loopback-server.ts'
import { outsidePart } from './support/outside-part.ts'

const NAME = 'app/db'
const ONE = '1'.repeat(32)
const TWO = '2'.repeat(32)
const THREE = '3'.repeat(32)

/** One request; `arn` is that of the secret that the row begins with. */
type Call = (api: SecretsManager, arn: string) => Promise<unknown>

interface Row {
  readonly name: string
  /** The secret's value, as version ONE; a secret without a value when absent. */
  readonly value?: string
  readonly calls: readonly Call[]
  /** Where moto is not AWS: by the call's index, what AWS's documentation says instead. */
  readonly aws?: Readonly<Record<number, Readonly<Record<string, unknown>>>>
}

const get =
  (changes: { VersionId?: string | undefined; VersionStage?: string; SecretId?: string } = {}): Call =>
  async (api) =>
    await api.getSecretValue({ SecretId: NAME, ...changes })
const put =
  (token: string | undefined, SecretString: string, VersionStages?: string[]): Call =>
  async (api) =>
    await api.putSecretValue({ SecretId: NAME, ClientRequestToken: token, SecretString, VersionStages })
const describeSecret: Call = async (api) => await api.describeSecret({ SecretId: NAME })
const moveCurrent =
  (from: string | undefined, to: string | undefined): Call =>
  async (api) =>
    await api.updateSecretVersionStage({
      SecretId: NAME,
      VersionStage: 'AWSCURRENT',
      RemoveFromVersionId: from,
      MoveToVersionId: to,
    })

const ROWS: readonly Row[] = [
  { name: 'GetSecretValue by name', value: 'text', calls: [get()] },
  {
    name: 'GetSecretValue by ARN',
    value: 'text',
    calls: [async (api, arn) => await api.getSecretValue({ SecretId: arn })],
  },
  {
    name: 'GetSecretValue by ARN without its suffix',
    value: 'text',
    calls: [async (api, arn) => await api.getSecretValue({ SecretId: arn.slice(0, -7) })],
  },
  { name: 'GetSecretValue of a secret that is not there', calls: [get({ SecretId: 'another' })] },
  { name: 'GetSecretValue of a secret without a value', calls: [get()] },
  { name: 'GetSecretValue by stage', value: 'text', calls: [get({ VersionStage: 'AWSCURRENT' })] },
  { name: 'GetSecretValue by version', value: 'text', calls: [get({ VersionId: ONE })] },
  {
    name: 'GetSecretValue by version and stage',
    value: 'text',
    calls: [get({ VersionId: ONE, VersionStage: 'AWSCURRENT' })],
  },
  {
    name: 'GetSecretValue by a version that has another stage',
    value: 'text',
    calls: [get({ VersionId: ONE, VersionStage: 'AWSPENDING' })],
  },
  {
    name: 'GetSecretValue by a stage that no version has',
    value: 'text',
    calls: [get({ VersionStage: 'AWSPENDING' })],
    aws: {
      // moto says that there is no such secret.
      0: { message: "Secrets Manager can't find the specified secret value for staging label: AWSPENDING" },
    },
  },
  { name: 'GetSecretValue by a version that is not there', value: 'text', calls: [get({ VersionId: TWO })] },
  { name: 'PutSecretValue fills an empty secret', calls: [put(ONE, 'text'), get()] },
  { name: 'PutSecretValue of a first version, AWSPENDING', calls: [put(ONE, 'text', ['AWSPENDING']), get()] },
  {
    name: 'PutSecretValue moves AWSCURRENT and AWSPREVIOUS',
    value: 'one',
    calls: [
      ...[put(TWO, 'two'), get(), get({ VersionStage: 'AWSPREVIOUS' }), put(THREE, 'three'), get()],
      ...[get({ VersionStage: 'AWSPREVIOUS' }), get({ VersionId: ONE }), describeSecret],
    ],
    // moto lists versions without labels as well.
    aws: { 7: { VersionIdsToStages: { [TWO]: ['AWSPREVIOUS'], [THREE]: ['AWSCURRENT'] } } },
  },
  { name: 'PutSecretValue again with the same token', value: 'one', calls: [put(TWO, 'two'), put(TWO, 'two'), get()] },
  { name: 'PutSecretValue with the same token and another value', value: 'one', calls: [put(ONE, 'other')] },
  { name: 'PutSecretValue with a short token', value: 'one', calls: [put('short', 'two')] },
  {
    name: 'PutSecretValue without a value',
    value: 'one',
    calls: [async (api) => await api.putSecretValue({ SecretId: NAME })],
  },
  {
    name: 'PutSecretValue into a secret that is not there',
    calls: [async (api) => await api.putSecretValue({ SecretId: 'another', SecretString: 'x' })],
  },
  {
    name: 'rotation: a pending version becomes the current one',
    value: 'one',
    calls: [
      ...[put(TWO, 'two', ['AWSPENDING']), get(), get({ VersionStage: 'AWSPENDING' }), moveCurrent(ONE, TWO)],
      ...[get(), get({ VersionStage: 'AWSPREVIOUS' })],
    ],
    // moto still answers with the version that was current when it was put.
    aws: { 4: { SecretString: 'two', VersionId: TWO, VersionStages: ['AWSCURRENT', 'AWSPENDING'] } },
  },
  {
    name: 'AWSCURRENT cannot be moved without saying from where',
    value: 'one',
    calls: [put(TWO, 'two', ['AWSPENDING']), moveCurrent(undefined, TWO)],
  },
  { name: 'DescribeSecret of a secret without a value', calls: [describeSecret] },
  {
    name: 'DescribeSecret of a secret that is not there',
    calls: [async (api) => await api.describeSecret({ SecretId: 'another' })],
  },
  {
    name: 'CreateSecret under a name that exists',
    value: 'one',
    calls: [async (api) => await api.createSecret({ Name: NAME, SecretString: 'x' })],
  },
  {
    name: 'CreateSecret with bytes',
    calls: [
      async (api) =>
        await api.createSecret({ Name: 'bytes', SecretBinary: Buffer.from([0, 255]), ClientRequestToken: TWO }),
      get({ SecretId: 'bytes' }),
    ],
  },
]

let moto: LoopbackServer
beforeAll(async () => {
  const program = outsidePart('moto', 'bin/moto_server')
  moto = await startLoopbackServer({
    command: (port) => [program, '--host', '127.0.0.1', '--port', String(port)],
    readyPath: '/moto-api/',
  })
})
afterAll(async () => await moto?.[Symbol.asyncDispose]())

/** What the calls answer, as far as two servers can agree: no dates, no random characters of an ARN, no request ids. */
async function answersOf(url: string, { value, calls }: Row): Promise<readonly unknown[]> {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-real-key' }
  const api = new SecretsManager({ endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1 })
  try {
    const secret = value === undefined ? {} : { SecretString: value, ClientRequestToken: ONE }
    const { ARN = '' } = await api.createSecret({ Name: NAME, ...secret })
    const answers: unknown[] = []
    for (const call of calls) {
      answers.push(
        await call(api, ARN).then(comparable, (error: SecretsManagerServiceException) => comparableError(error)),
      )
    }
    return JSON.parse(JSON.stringify(answers).replaceAll(/(secret:[\w/]+)-\w{6}\b/g, '$1-??????'))
  } finally {
    api.destroy()
  }
}

function comparable(answer: unknown): unknown {
  const { $metadata: _, ...members } = Object(answer)
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      if (value instanceof Date) return [name, 'a date']
      if (value instanceof Uint8Array) return [name, [...value]]
      return [name, Array.isArray(value) ? value.toSorted() : value]
    }),
  )
}

function comparableError(error: SecretsManagerServiceException): unknown {
  if (!(error instanceof SecretsManagerServiceException)) throw error
  return { error: error.name, message: error.message }
}

test.each(ROWS)('$name', async (row) => {
  await fetch(`${moto.url}/moto-api/reset`, { method: 'POST' })
  await using standIn = await SecretsManagerStandIn.start()
  const expected = (await answersOf(moto.url, row)).map((answer, index) => {
    const correction = row.aws?.[index]
    if (correction === undefined) return answer
    const corrected = { ...Object(answer), ...correction }
    expect(corrected, 'moto has learnt it: take the correction away').not.toEqual(answer)
    return corrected
  })
  expect(await answersOf(standIn.url, row)).toEqual(expected)
})
