import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { STEPS } from '../../../cli/doctor/report.ts'
import type { ServerCertificate } from '../../../local/certificates.ts'
import type { Refuse } from '../../../local/cloud/stand-in.ts'
import { message } from '../../../local/cloud/wire-protocol.ts'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'
import { startDeafServer } from '../../support/deaf-server.ts'
import { PASSWORD, ScriptedServer } from '../../support/scripted-server.ts'
import { credentialsOf, makeCertificate, startTlsServer } from '../../support/tls-server.ts'

const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const UNKNOWN_HOST = HOST.replace('cozy-otter-4821', 'brave-hare-7733')
const FREE_TIER_HOST = 'free-tier4.aws-ap-southeast-1.cockroachlabs.cloud'
const ADVANCED_HOST = 'blue-dog-5bct.aws-ap-southeast-1.cockroachlabs.cloud'
const WRONG = 'not-the-right-password'
const SECRET = ['--secret-id', 'app/db']

let stage: CommandStage
let certificate: ServerCertificate

beforeAll(async () => {
  stage = await openCommandStage({ hosts: [HOST, UNKNOWN_HOST, FREE_TIER_HOST, '127.0.0.1'] })
  certificate = stage.cloud.standIn.certificate
})

afterAll(() => stage?.[Symbol.asyncDispose]())

afterEach(() => {
  const { standIn, cluster } = stage.cloud
  standIn.refuse = undefined
  standIn.throttle = undefined
  Object.assign(standIn.tenant(cluster), { allowsAddress: true, isAvailable: true, isRequestUnitLimitHit: false })
  standIn.certificate = certificate
  stage.secretsManager.failWith(undefined)
  stage.secretsManager.secrets.deny('app/db', false)
  stage.store(stage.fields)
})

const NAMES: readonly string[] = STEPS

interface Row {
  /** Of the table of failures that people meet. */
  readonly row: number
  readonly cause: string
  /** Changes of the secret's fields; `undefined` takes one out. */
  readonly fields?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
  readonly refuse?: Refuse
  readonly inject?: () => void | Promise<void>
  readonly step: string
  readonly exitCode: number
  readonly why: RegExp
  readonly mend: RegExp
}

const PUT = /npx cockroach-lambda secret put --secret-id app\/db/
const COPY = /Connect > copy the connection string/

const FAILURES: readonly Row[] = [
  {
    ...{ row: 1, cause: 'an address, which does not contain the cluster', fields: { host: '127.0.0.1' } },
    ...{ step: 'login', exitCode: 6, why: /Many clusters share this address/, mend: /COCKROACH_CLUSTER=/ },
  },
  {
    ...{ row: 1, cause: 'an old host that many clusters share', fields: { host: FREE_TIER_HOST } },
    ...{ step: 'routing', exitCode: 6, why: /Many clusters share this address/, mend: /COCKROACH_CLUSTER=/ },
  },
  {
    ...{ row: 2, cause: 'a cluster that is not there', fields: { host: UNKNOWN_HOST } },
    ...{ step: 'login', exitCode: 6, why: /No such cluster/, mend: COPY },
  },
  {
    ...{ row: 2, cause: 'two clusters in one secret', fields: { cluster: 'brave-hare-7733' } },
    ...{ step: 'routing', exitCode: 6, why: /Name the cluster once/, mend: COPY },
  },
  {
    ...{ row: 3, cause: 'an address that is not on the allowlist' },
    inject: () => void Object.assign(stage.cloud.standIn.tenant(stage.cloud.cluster), { allowsAddress: false }),
    ...{ step: 'login', exitCode: 10, why: /IP allowlist/, mend: /Networking > IP Allowlist > Add Network/ },
  },
  {
    ...{ row: 4, cause: 'logins that are throttled' },
    inject: async () => {
      stage.cloud.standIn.throttle = { maxFailures: 1, windowMs: 60_000 }
      stage.store({ ...stage.fields, password: `${WRONG}-2` })
      await stage.doctor()
      stage.store(stage.fields)
    },
    ...{ step: 'login', exitCode: 10, why: /throttled/, mend: /wait some minutes/ },
  },
  {
    ...{ row: 5, cause: 'a wrong password', fields: { password: WRONG } },
    ...{ step: 'login', exitCode: 8, why: /refuses this user/, mend: /SQL Users > app_\w+ > Change Password/ },
  },
  {
    ...{ row: 6, cause: 'no TLS, on this machine', fields: { host: '127.0.0.1', sslmode: 'disable' } },
    ...{ step: 'login', exitCode: 7, why: /sslmode=disable is set/, mend: /unset PGSSLMODE/ },
  },
  {
    ...{ row: 6, cause: 'no TLS, across a network', fields: { sslmode: 'disable' } },
    ...{ step: 'routing', exitCode: 7, why: /sslmode=disable is set/, mend: /unset PGSSLMODE/ },
  },
  {
    ...{ row: 7, cause: "a laptop's path", fields: { sslrootcert: '/Users/me/certs/root.crt' } },
    ...{ step: 'root certificate', exitCode: 7, why: /not on this machine/, mend: /unset PGSSLROOTCERT/ },
  },
  {
    ...{ row: 7, cause: 'a relative path in the environment', fields: { sslrootcert: undefined } },
    environment: { PGSSLROOTCERT: './no-such-folder/root.crt' },
    ...{ step: 'root certificate', exitCode: 7, why: /not on this machine/, mend: /unset PGSSLROOTCERT/ },
  },
  ...['$HOME/.postgresql/root.crt', '~/.postgresql/root.crt'].map((sslrootcert) => ({
    ...{ row: 8, cause: `${sslrootcert}, which is missing`, fields: { sslrootcert } },
    ...{ step: 'root certificate', exitCode: 7, why: /libpq's default file/, mend: /cert fetch --cluster-id/ },
  })),
  {
    ...{ row: 9, cause: 'a CA that nobody named', fields: { sslrootcert: undefined } },
    ...{ step: 'chain', exitCode: 7, why: /does not end in the root certificate/, mend: /cert check --host/ },
  },
  {
    ...{ row: 9, cause: "a server of one's own with a CA that nobody named" },
    fields: { sslrootcert: undefined, host: '127.0.0.1' },
    ...{ step: 'chain', exitCode: 7, why: /does not end in the root certificate/, mend: /cert fetch --cluster-id/ },
  },
  {
    ...{ row: 10, cause: 'a host that is not in the certificate', fields: { host: ADVANCED_HOST } },
    ...{ step: 'host name', exitCode: 7, why: /another server's/, mend: /with its whole host name/ },
  },
  {
    ...{ row: 11, cause: 'a limit of request units' },
    inject: () => void Object.assign(stage.cloud.standIn.tenant(stage.cloud.cluster), { isRequestUnitLimitHit: true }),
    ...{ step: 'login', exitCode: 10, why: /request units/, mend: /raise the limit/ },
  },
  {
    ...{ row: 11, cause: 'a limit of connections' },
    refuse: { sqlstate: '53300', message: 'sorry, too many clients already' },
    ...{ step: 'login', exitCode: 10, why: /All connections .* in use/, mend: /put-function-concurrency/ },
  },
  {
    ...{ row: 12, cause: 'a connection that is reset' },
    refuse: (socket) => socket.once('data', () => socket.resetAndDestroy()),
    ...{ step: 'SSLRequest', exitCode: 9, why: /closed without a word/, mend: /doctor, once more/ },
  },
  {
    ...{ row: 12, cause: 'a connection that is closed' },
    refuse: (socket) => socket.once('data', () => socket.end()),
    ...{ step: 'SSLRequest', exitCode: 9, why: /closed without a word/, mend: /doctor, once more/ },
  },
  {
    ...{ row: 13, cause: 'a server that accepts and is silent', fields: { connect_timeout: 1 } },
    refuse: 'silence',
    ...{ step: 'SSLRequest', exitCode: 9, why: /the server is silent/, mend: /26257/ },
  },
  {
    ...{ row: 14, cause: 'a host that is cut off', fields: { host: 'base.invalid' } },
    ...{ step: 'DNS', exitCode: 9, why: /No such host name/, mend: COPY },
  },
  {
    ...{ row: 14, cause: "the console's placeholder", fields: { password: '<ENTER-SQL-USER-PASSWORD>' } },
    ...{ step: 'form', exitCode: 5, why: /Replace it/, mend: PUT },
  },
  {
    ...{ row: 14, cause: "the port of RDS's template", fields: { port: 5432 } },
    ...{ step: 'form', exitCode: 5, why: /26257/, mend: PUT },
  },
  {
    ...{ row: 15, cause: 'a server that shuts down' },
    refuse: { sqlstate: '57P01', message: 'server is shutting down' },
    ...{ step: 'login', exitCode: 10, why: /comes back by itself/, mend: /in a minute/ },
  },
  {
    ...{ row: 15, cause: 'a cluster that accepts no connections' },
    inject: () => void Object.assign(stage.cloud.standIn.tenant(stage.cloud.cluster), { isAvailable: false }),
    ...{ step: 'login', exitCode: 10, why: /comes back by itself/, mend: /in a minute/ },
  },
  {
    ...{ row: 16, cause: 'a server without TLS' },
    refuse: 'tls',
    ...{ step: 'SSLRequest', exitCode: 7, why: /not a PostgreSQL server with TLS/, mend: /26257/ },
  },
  {
    ...{ row: 16, cause: 'a web server' },
    refuse: (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n')),
    ...{ step: 'SSLRequest', exitCode: 7, why: /not a PostgreSQL server with TLS/, mend: /26257/ },
  },
  {
    ...{ row: 16, cause: 'a port where nothing listens', fields: { port: 1 } },
    ...{ step: 'TCP', exitCode: 9, why: /Nothing listens/, mend: /26257/ },
  },
]

/** Beside the table of failures that people meet. */
const OTHERS: readonly Omit<Row, 'row'>[] = [
  {
    cause: 'an expired certificate',
    inject: async () => {
      const notAfter = new Date(Date.now() - 60_000)
      stage.cloud.standIn.certificate = await stage.cloud.authority.issue({ hosts: [HOST], notAfter })
    },
    ...{ step: 'chain', exitCode: 7, why: /has expired/, mend: /renew its certificate/ },
  },
  {
    cause: 'a file that is not a certificate',
    fields: { sslrootcert: import.meta.filename },
    ...{ step: 'root certificate', exitCode: 7, why: /not usable/, mend: /cert check FILE/ },
  },
  {
    cause: 'a database that is not there',
    fields: { dbname: 'nodb' },
    ...{ step: 'login', exitCode: 3, why: /no such database/, mend: /create database/ },
  },
  {
    cause: 'a variable that cannot be read',
    environment: { PGPORT: 'abc' },
    ...{ step: 'settings', exitCode: 3, why: /setting cannot be used/, mend: /unset the variable/ },
  },
  {
    cause: 'a misspelt variable',
    environment: { COCKROACH_CLUSTR: 'cozy-otter-4821' },
    ...{ step: 'settings', exitCode: 3, why: /setting cannot be used/, mend: /unset the variable/ },
  },
  {
    cause: 'another answer of the server',
    refuse: { sqlstate: 'XX000', message: 'internal error' },
    ...{ step: 'login', exitCode: 10, why: /message is its own/, mend: /doctor --json/ },
  },
]

async function expectFailure(given: Omit<Row, 'row'>): Promise<void> {
  const { fields, environment = {}, refuse, inject, step, exitCode, why, mend } = given
  if (fields !== undefined) stage.store({ ...stage.fields, ...fields })
  stage.cloud.standIn.refuse = refuse
  await inject?.()
  const { failure, steps, ...report } = await stage.doctor(SECRET, { environment })
  expect({ step: failure?.step, exitCode: report.exitCode, ok: report.ok }).toEqual({ step, exitCode, ok: false })
  expect(failure?.why).toMatch(why)
  expect(failure?.mend.join('\n')).toMatch(mend)
  expect(steps.at(-1)).toMatchObject({ step, status: 'failed', saw: failure?.saw })
  // Every step before it was reported, in order.
  expect(steps.map((each) => each.step)).toEqual(NAMES.slice(0, NAMES.indexOf(step) + 1))
  expect(steps.filter(({ status }) => status === 'failed')).toHaveLength(1)
}

describe('the failures that people meet', () => {
  test('each row of the table is reproduced', () => {
    expect([...new Set(FAILURES.map(({ row }) => row))]).toEqual(Array.from({ length: 16 }, (_, index) => index + 1))
  })

  test.each(FAILURES)('$row: $cause', expectFailure)

  test('13: an address that does not answer', async () => {
    await using server = await startDeafServer()
    stage.store({ ...stage.fields, port: server.port, connect_timeout: 1 })
    const { failure, exitCode } = await stage.doctor()
    expect({ exitCode, step: failure?.step }).toEqual({ exitCode: 9, step: 'TCP' })
    expect(failure?.why).toMatch(/^No answer/)
    expect(failure?.mend.join('\n')).toMatch(/NAT gateway/)
  })

  test('15: a transaction that is to be repeated, at the first query', async () => {
    await using server = await ScriptedServer.start(stage.cloud.authority)
    const repeat: Buffer = message('E', Buffer.from('SERROR\0C40001\0Mrestart transaction: retry\0\0'))
    server.script = (at): Buffer | undefined => (at === 'simple' ? repeat : undefined)
    stage.store({
      host: '127.0.0.1',
      port: server.port,
      user: 'app',
      password: PASSWORD,
      sslrootcert: server.certificate,
    })
    const { failure, exitCode, steps } = await stage.doctor(SECRET, { secrets: [PASSWORD] })
    expect({ exitCode, failure }).toMatchObject({ exitCode: 11, failure: { step: 'first query', code: '40001' } })
    expect(steps.at(-1)?.saw).toBe('restart transaction: retry')
    expect(failure?.why).toMatch(/repeat the transaction/)
  })
})

describe('other failures', () => {
  test.each(OTHERS)('$cause', expectFailure)

  test('a server that offers no TLS of today', async () => {
    const root = await makeCertificate({ name: 'Old', isAuthority: true })
    const leaf = await makeCertificate({ name: 'Old leaf', signer: root, host: 'localhost' })
    const old = { ...(await credentialsOf(leaf)), minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const
    await using server = await startTlsServer(old)
    stage.store({ ...stage.fields, host: 'localhost', port: server.port })
    const { failure, exitCode } = await stage.doctor()
    expect({ exitCode, step: failure?.step }).toEqual({ exitCode: 7, step: 'chain' })
    expect(failure?.mend.join('\n')).toContain('cert check --host localhost')
  })

  test('nothing that names a database', async () => {
    const { failure, exitCode } = await stage.doctor([])
    expect({ exitCode, step: failure?.step }).toEqual({ exitCode: 3, step: 'settings' })
    expect(failure?.mend).toContain('npx cockroach-lambda doctor --secret-id <name or ARN>')
  })

  test('a DATABASE_URL that is no connection string', async () => {
    const line = { environment: { DATABASE_URL: 'pw-of-nobody' }, secrets: ['pw-of-nobody'] }
    const { failure, exitCode } = await stage.doctor([], line)
    expect({ exitCode, step: failure?.step }).toEqual({ exitCode: 3, step: 'settings' })
    expect(failure?.mend.join('\n')).toContain('doctor --url -')
  })
})

const OURS = 'postgresql://app:pw-of-nobody@cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud:26257/defaultdb'

/** Texts that are stored as secrets by mistake, and a part of what is said about each. */
const WRONG_SECRETS: readonly (readonly [what: string, text: string, saw: RegExp])[] = [
  ['blanks', '  \n', /is empty/],
  ['an empty object', '{}', /is empty/],
  ['one word', 'pw-of-nobody', /neither a URL nor keyword=value/],
  ['an API key of the Cloud', 'CCDB1_pw0of0nobody', /is an API key/],
  ['base64', Buffer.from(OURS).toString('base64'), /encoded in base64/],
  ['a Python dict', "{'host': 'h', 'password': 'pw-of-nobody'}", /is a Python dict/],
  ['JSON without quotes', '{host: h, password: pw-of-nobody}', /keys without quotes/],
  ['JSON that is cut off', '{"host": "h", "password": "pw-of-nobody', /malformed JSON/],
  ['a number', '26257', /is a number in JSON/],
  ['an array', `["${OURS}"]`, /is an array of 1/],
  ['no usual key', '{"greeting": "pw-of-nobody"}', /no usual key/],
  ['several connection strings', `{"a": "${OURS}", "b": "${OURS}2"}`, /holds 2 connection strings/],
  ['a contradiction', JSON.stringify({ url: OURS, pghost: 'other.example' }), /contradicts/],
  ['a parameter given twice', `${OURS}?sslmode=verify-full&sslmode=require`, /sslmode/],
  ['the host in the query', `${OURS}?host=other.example`, /host/],
  ['several hosts', 'postgresql://app:pw-of-nobody@a.example,b.example/d', /several hosts/],
  ['a password that moves the host', 'postgresql://app:pw-of@evil.example/x@h.example/d', /two different hosts/],
  ['a scheme without slashes', 'postgresql:app:pw-of-nobody@h.example/d', /without "\/\/"/],
  ['no scheme', 'app:pw-of-nobody@h.example', /no scheme in front/],
  ['a list of variables', 'PGHOST=h\nPGPASSWORD=pw-of-nobody', /list of environment variables/],
  ['ADO.NET', 'Server=h;Username=app;Password=pw-of-nobody;Database=d', /ADO\.NET/],
  ['a placeholder', '<connection string>', /placeholder/],
  ['a placeholder as host', 'postgresql://app:pw-of-nobody@<host>/d', /placeholder/],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', /certificate or key/],
  ['a web address', 'https://cockroachlabs.cloud/cluster/1', /scheme|URL/],
  ['a mode that verifies nothing', `${OURS}?sslmode=no-verify`, /no-verify/],
  ['no password', '{"host": "h.example", "user": "app"}', /holds no password/],
  ['no host', '{"password": "pw-of-nobody", "user": "app"}', /holds no host/],
  ['a binary value', '', /is binary/],
]

describe('what is stored by mistake', () => {
  test.each(WRONG_SECRETS)('%s', async (what, text, saw) => {
    stage.store(what === 'a binary value' ? Buffer.from('pw-of-nobody') : text)
    const { failure, exitCode } = await stage.doctor(SECRET, { secrets: ['pw-of-nobody', 'pw-of'] })
    const step = what === 'a binary value' ? 'secret' : 'form'
    expect({ step: failure?.step, code: failure?.code, exitCode }).toEqual({
      step,
      code: 'ERR_SECRET_INVALID',
      exitCode: 5,
    })
    expect(failure?.saw).toMatch(saw)
    expect(failure?.why).toMatch(/\w/)
    expect(failure?.mend.join('\n')).toMatch(PUT)
  })

  test('a text of a megabyte on standard input is refused', async () => {
    const { failure, exitCode } = await stage.doctor(['--url', '-'], { input: 'x'.repeat(2 ** 20) })
    expect({ exitCode, step: failure?.step }).toEqual({ exitCode: 5, step: 'form' })
  })

  test('the same text on standard input has the same refusal', async () => {
    const { failure, exitCode } = await stage.doctor(['--url', '-'], { input: 'pw-of-nobody' })
    expect(exitCode).toBe(5)
    expect(failure).toMatchObject({ step: 'form', saw: expect.stringMatching(/neither a URL/) })
    expect(failure?.mend.join('\n')).toContain('doctor --url -')
  })
})

describe('a secret that is not read', () => {
  test.each([
    ['is not there', 'app/other', (): void => undefined, /create-secret --name app\/other/],
    ['is not permitted', 'app/db', () => stage.secretsManager.secrets.deny('app/db'), /IAM/],
    ['is throttled', 'app/db', () => stage.secretsManager.failWith('ThrottlingException'), /describe-secret/],
    ['has expired credentials', 'app/db', () => stage.secretsManager.failWith('ExpiredTokenException'), /sso login/],
  ] as const)('%s', async (_, secretId, inject, mend) => {
    inject()
    const { failure, exitCode } = await stage.doctor(['--secret-id', secretId])
    expect({ step: failure?.step, exitCode }).toEqual({ step: 'secret', exitCode: 4 })
    expect(failure?.mend.join('\n')).toMatch(mend)
  })

  describe('without what the SDK needs', () => {
    let before: NodeJS.ProcessEnv

    beforeEach(() => {
      before = { ...process.env }
      for (const name of Object.keys(process.env)) if (/^AWS_(?!ENDPOINT)/.test(name)) delete process.env[name]
      // Else it asks the machine, as on EC2.
      process.env.AWS_EC2_METADATA_DISABLED = 'true'
      process.env.HOME = '/nonexistent'
    })

    afterEach(() => {
      Object.assign(process.env, before)
    })

    test('has no credentials', async () => {
      process.env.AWS_REGION = 'ap-southeast-1'
      const { failure, exitCode } = await stage.doctor()
      expect(exitCode).toBe(4)
      expect(failure?.mend.join('\n')).toContain('aws sso login')
    })

    test('has no region', async () => {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-real-key' })
      const { failure, exitCode } = await stage.doctor()
      expect(exitCode).toBe(4)
      expect(failure?.mend).toEqual(["export AWS_REGION=<the secret's region>"])
    })
  })

  test('has no value yet', async () => {
    stage.secretsManager.secrets.create('app/empty')
    const { failure, exitCode } = await stage.doctor(['--secret-id', 'app/empty'])
    expect({ step: failure?.step, exitCode }).toEqual({ step: 'secret', exitCode: 5 })
    expect(failure?.mend.join('\n')).toContain('secret put --secret-id app/empty')
  })

  test('is scheduled for deletion', async () => {
    stage.secretsManager.secrets.create('app/deleted', 'x')
    stage.secretsManager.secrets.delete('app/deleted')
    const { failure } = await stage.doctor(['--secret-id', 'app/deleted'])
    expect(failure?.mend).toEqual(['aws secretsmanager restore-secret --secret-id app/deleted'])
  })
})
