import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { STEPS } from '../../../cli/doctor/report.ts'
import { type CertificateAuthority, createCertificateAuthority } from '../../../local/certificates.ts'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'

const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const WRONG = 'not-the-right-password'

let stage: CommandStage
let otherAuthority: CertificateAuthority

beforeAll(async () => {
  stage = await openCommandStage()
  otherAuthority = await createCertificateAuthority('Another Root CA')
})

beforeEach(() => stage.store(stage.fields))

afterAll(() => stage?.[Symbol.asyncDispose]())

describe('trust that fails', () => {
  test('shows the chain that the server presents beside the root certificate', async () => {
    stage.store({ ...stage.fields, sslrootcert: otherAuthority.certificate })
    const { trust } = await stage.doctor()
    expect(trust).toMatchObject({
      presented: [{ subject: HOST, issuer: 'Stand-in Root CA', daysLeft: expect.any(Number) }],
      rootCertificate: [{ subject: 'Another Root CA', issuer: 'Another Root CA', daysLeft: expect.any(Number) }],
      rootCertificateOrigin: 'secret',
    })
    expect(trust?.presented[0]?.fingerprint256).toMatch(/^([\dA-F]{2}:){31}[\dA-F]{2}$/)
    expect(trust?.presented[0]?.fingerprint256).not.toBe(trust?.rootCertificate[0]?.fingerprint256)
    const { stdout } = await stage.run(['doctor', '--secret-id', 'app/db'])
    expect(stdout).toMatch(
      /the server presents:[\s\S]+issued by Stand-in Root CA[\s\S]+the root certificate \(secret\):[\s\S]+Another Root CA/,
    )
  })

  test('sends no user, no password, no start-up message', async () => {
    stage.store({ ...stage.fields, sslrootcert: otherAuthority.certificate })
    await stage.doctor()
    expect(stage.cloud.standIn.counts).toMatchObject({ startups: 0, logins: 0 })
  })
})

describe('a way that is open', () => {
  test('is walked from the settings to the round trip, with one login', async () => {
    const { ok, exitCode, steps, health } = await stage.doctor()
    expect({ ok, exitCode }).toEqual({ ok: true, exitCode: 0 })
    expect(steps.map(({ step, status }) => `${step} ${status}`)).toEqual(
      STEPS.map((step) => (step === 'client certificate' ? `${step} skipped` : `${step} passed`)),
    )
    expect(health).toMatchObject({ ok: true, tls: { authorized: true }, connection: { cluster: 'cozy-otter-4821' } })
    expect(stage.cloud.standIn.counts).toMatchObject({ logins: 1, authOk: 1 })
  })

  test.each([
    [
      'a connection string',
      (): string =>
        `postgresql://${stage.cloud.user}:${encodeURIComponent(stage.cloud.password)}@${HOST}:${stage.cloud.standIn.port}/defaultdb`,
    ],
    ['the value of a secret', () => JSON.stringify({ ...stage.fields, sslrootcert: undefined })],
  ])('is walked with %s from standard input', async (_, input: () => string) => {
    const environment = { PGSSLROOTCERT: stage.cloud.authority.certificate }
    const { ok, steps } = await stage.doctor(['--url', '-'], { input: input(), environment })
    expect(ok).toBe(true)
    expect(steps.find(({ step }) => step === 'secret')?.status).toBe('skipped')
  })

  test('is walked with the environment', async () => {
    const { user, password, standIn, authority } = stage.cloud
    const environment = {
      ...{ PGHOST: HOST, PGPORT: String(standIn.port), PGUSER: user, PGPASSWORD: password, PGDATABASE: 'defaultdb' },
      PGSSLROOTCERT: authority.certificate,
    }
    expect(await stage.doctor([], { environment })).toMatchObject({ ok: true })
  })

  test('is walked in clear text on loopback, with the steps of TLS skipped', async () => {
    const { user, password, port, database } = stage.cloud
    const environment = {
      ...{ PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database },
      PGSSLMODE: 'disable',
    }
    const { ok, steps } = await stage.doctor([], { environment })
    expect(ok).toBe(true)
    const skipped = steps.filter(({ status }) => status === 'skipped').map(({ step }) => step)
    expect(skipped).toEqual(['secret', 'client certificate', 'DNS', 'SSLRequest', 'chain', 'host name'])
  })

  test('is open though the server cannot say what the user may do', async () => {
    const { postgres, database } = stage.cloud
    await postgres.query('drop schema public', [], database)
    const { ok, steps } = await stage.doctor()
    await postgres.query('create schema public', [], database)
    expect(ok).toBe(true)
    expect(steps.find(({ step }) => step === 'privileges')).toMatchObject({
      ...{ status: 'passed', saw: 'unknown' },
      warnings: ['the server says: schema "public" does not exist'],
    })
  })

  test('says how many tables the user may read and write', async () => {
    const { postgres, database, user } = stage.cloud
    await postgres.query(`create table a (); create table b (); grant select on a to ${user}`, [], database)
    const { steps } = await stage.doctor()
    await postgres.query('drop table a, b', [], database)
    expect(steps.find(({ step }) => step === 'privileges')?.saw).toMatch(/reads 1 and writes 0 of 2 tables$/)
  })

  test('warns of what was raised and repaired', async () => {
    stage.store({ ...stage.fields, sslmode: 'require' })
    const { steps } = await stage.doctor()
    expect(steps.find(({ step }) => step === 'routing')?.warnings).toEqual([
      expect.stringMatching(/raised to verify-full/),
    ])
  })
})

describe('its lines', () => {
  test('have 80 columns at most, but for words and commands to copy', async () => {
    for (const fields of [{}, { sslrootcert: otherAuthority.certificate }, { password: WRONG }]) {
      stage.store({ ...stage.fields, ...fields })
      const { stdout } = await stage.run(['doctor', '--secret-id', 'app/db'])
      const long = stdout.split('\n').filter((line) => line.length > 80 && line.trim().includes(' '))
      expect(long.filter((line) => !/^ +(mend +)?(npx|aws|curl|export) /.test(line))).toEqual([])
    }
  })

  test('break no command, also behind words that fill a line', async () => {
    const { stdout } = await stage.run(['doctor', '--url', '-'], {
      input: 'postgresql://app:<PASSWORD>@db.example.com/d',
    })
    expect(stdout).toMatch(/^ +npx cockroach-lambda doctor --url -$/m)
  })

  test('come as the steps end', async () => {
    const { stdout } = await stage.run(['doctor', '--secret-id', 'app/db'])
    expect(stdout.match(/^[✓✗-] .*$/gm)?.map((line) => line.slice(2, 20).trim())).toEqual(
      (await stage.doctor()).steps.map(({ step }) => step),
    )
  })
})
