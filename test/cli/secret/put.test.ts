import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { expectNoSecret } from '../../support/command-line.ts'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'
import { awsEnvironment } from '../../support/product.ts'
import { openTerminal, processList, type Terminal } from '../../support/terminal.ts'

const PUT = ['secret', 'put', '--secret-id', 'app/db']
const PROMPT = 'Connection string, or the value of the secret:'

let stage: CommandStage
let environment: Readonly<Record<string, string>>

beforeAll(async () => {
  stage = await openCommandStage()
  environment = { PGSSLROOTCERT: stage.cloud.authority.certificate }
})

afterAll(() => stage?.[Symbol.asyncDispose]())

beforeEach(() => stage.store('as it was before'))

async function stored(): Promise<string | undefined> {
  const client = new SecretsManagerClient({})
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId: 'app/db' }))).SecretString
  } finally {
    client.destroy()
  }
}

function connectionString(password = stage.cloud.password): string {
  const { user, host, standIn } = stage.cloud
  return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${standIn.port}/defaultdb?sslmode=verify-full`
}

function clean(): object {
  const { user, host, standIn, password } = stage.cloud
  return { host, port: standIn.port, username: user, password, dbname: 'defaultdb' }
}

describe('from standard input', () => {
  test.each([
    ['a connection string', () => connectionString()],
    ['a connection string with a line end', () => `${connectionString()}\n`],
    ['a connection string in quotes behind a name', () => `export DATABASE_URL='${connectionString()}'`],
    ['JSON with other keys', () => JSON.stringify({ DATABASE_URL: connectionString() })],
    ['JSON in JSON', () => JSON.stringify(JSON.stringify(clean()))],
    ["the article's string", () => connectionString().replace('/defaultdb', '/cozy-otter-4821.defaultdb')],
  ])('%s is checked, and stored as clean JSON', async (what, input: () => string) => {
    const { code, stdout } = await stage.run(PUT, { input: input(), environment })
    expect(stdout).toMatch(/✓ round trip[\s\S]+Stored in app\/db as version [\da-f-]+:/)
    expect(code).toBe(0)
    const dbname = what === "the article's string" ? 'cozy-otter-4821.defaultdb' : 'defaultdb'
    expect(JSON.parse((await stored()) ?? '')).toEqual({ ...clean(), dbname })
    const doctor = await stage.run(['doctor', '--secret-id', 'app/db'], { environment })
    expect(doctor.code).toBe(0)
  })

  test('a root certificate in the secret stays in it', async () => {
    const { code, stdout } = await stage.run(PUT, { input: JSON.stringify(stage.fields) })
    expect(code).toBe(0)
    expect(stdout).toMatch(/"sslrootcert": "\(\d+ characters\)"/)
    expect(JSON.parse((await stored()) ?? '')).toEqual({ ...clean(), sslrootcert: expect.any(String) })
    expect(await stage.run(['doctor', '--secret-id', 'app/db'])).toMatchObject({ code: 0 })
  })

  test.each([
    ['a wrong password', () => connectionString('not-the-password'), 8],
    ['a text that is no secret', () => 'not-the-password', 5],
    ['nothing', () => '', 5],
  ])('%s is not stored', async (_, input: () => string, exitCode) => {
    const { code, stdout } = await stage.run(PUT, { input: input(), environment, secrets: ['not-the-password'] })
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({ code: exitCode, last: 'Nothing was stored.' })
    expect(await stored()).toBe('as it was before')
  })

  test('--dry-run checks, and stores nothing', async () => {
    const { code, stdout } = await stage.run([...PUT, '--dry-run'], { input: connectionString(), environment })
    expect(code).toBe(0)
    expect(stdout).toMatch(/✓ login[\s\S]+dry run[\s\S]+"password": "\[redacted\]"/)
    expect(await stored()).toBe('as it was before')
  })

  test('a secret that is not there is exit code 4, with the command that makes it', async () => {
    const words = ['secret', 'put', '--secret-id', 'app/absent']
    const { code, stderr } = await stage.run(words, { input: connectionString(), environment })
    expect(code).toBe(4)
    expect(stderr).toMatch(/PutSecretValue[\s\S]+aws secretsmanager create-secret --name app\/absent/)
  })

  test('a secret that may not be written names the permission', async () => {
    stage.secretsManager.secrets.deny('app/db')
    const { code, stderr } = await stage.run(PUT, { input: connectionString(), environment })
    stage.secretsManager.secrets.deny('app/db', false)
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('secretsmanager:PutSecretValue') })
  })

  test('without a secret id is a wrong command line', async () => {
    expect(await stage.run(['secret', 'put'], { input: connectionString() })).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('at a terminal', () => {
  function open(words: readonly string[] = PUT): Terminal {
    return openTerminal(words, {
      ...{ PATH: process.env.PATH, HOME: '/nonexistent', TERM: 'xterm' },
      ...awsEnvironment(stage.secretsManager),
      ...environment,
    })
  }

  /** Echo on, line by line, signals on: as a shell needs it. */
  function expectSane(settings: string): void {
    expect(settings).toMatch(/(?<!-)\becho\b/)
    expect(settings).toMatch(/(?<!-)\bicanon\b/)
    expect(settings).toMatch(/(?<!-)\bisig\b/)
  }

  test.each([
    ['typed', (terminal: Terminal, text: string) => terminal.type(text)],
    ['pasted', (terminal: Terminal, text: string) => terminal.paste(text)],
    ['pasted with line ends', (terminal: Terminal, text: string) => terminal.paste(`\n${text}\r\n\n`)],
  ])('what is %s is not shown, nor in the process list', async (_, give) => {
    let processes = ''
    stage.cloud.standIn.beforeLogin = async () => {
      processes = processList()
    }
    const terminal = open()
    await terminal.shows(PROMPT)
    give(terminal, connectionString())
    terminal.type('\r')
    const { code, output, settings } = await terminal.ended()
    stage.cloud.standIn.beforeLogin = undefined
    expect(processes).toContain('cli/main.ts')
    expectNoSecret(output + processes, [stage.cloud.password])
    // Nor its length, as a mark for each character would show it.
    expect(output).not.toMatch(/[*•▪]{2}/)
    expect(output).toContain('Stored in app/db')
    expect(code).toBe(0)
    expectSane(settings)
    expect(JSON.parse((await stored()) ?? '')).toEqual(clean())
  })

  test('JSON of several lines is pasted whole', async () => {
    const terminal = open()
    await terminal.shows(PROMPT)
    terminal.paste(JSON.stringify(clean(), null, 2))
    terminal.type('\r')
    const { code, output, settings } = await terminal.ended()
    expectNoSecret(output + settings, [stage.cloud.password])
    expect(code).toBe(0)
  })

  test('Ctrl-C ends it with 130, stores nothing, and leaves the terminal sane', async () => {
    const terminal = open()
    await terminal.shows(PROMPT)
    terminal.paste(connectionString())
    terminal.type('\u0003')
    const { code, output, settings } = await terminal.ended()
    expect(code).toBe(130)
    expectNoSecret(output, [stage.cloud.password])
    expectSane(settings)
    expect(output.lastIndexOf('\u001b[?2004l')).toBeGreaterThan(output.lastIndexOf('\u001b[?2004h'))
    expect(await stored()).toBe('as it was before')
  })
})
