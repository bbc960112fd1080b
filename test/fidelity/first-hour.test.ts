/**
 * From an empty folder to a function that answers, by the commands that `init` prints: unit test, secret, deployment, the
 * doctor's report from here and from the function.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCloud, type TestCloud } from '../support/database.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { REGION } from './support/aws-shell.ts'
import { invokeFunction } from './support/deployed-function.ts'
import { ACCOUNT, type Ministack, startMinistack } from './support/ministack.ts'
import { outsidePart } from './support/outside-part.ts'
import { LOOPBACK_NAMES } from './support/sample-functions.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-first-hour-'))
let cloud: TestCloud
let ministack: Ministack

beforeAll(async () => {
  cloud = await openCloud()
  ministack = await startMinistack(folder)
  installPackedPackage(folder)
  mkdirSync(join(folder, 'node_modules/.bin'))
  for (const name of ['esbuild', 'cdk'])
    symlinkSync(join(REPOSITORY, 'node_modules/.bin', name), join(folder, 'node_modules/.bin', name))
  symlinkSync(join(outsidePart('osls', 'node_modules'), '.bin/osls'), join(folder, 'node_modules/.bin/osls'))
  symlinkSync('../cockroach-lambda/dist/cli.cjs', join(folder, 'node_modules/.bin/cockroach-lambda'))
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'own-ca.crt'), cloud.authority.certificate)
})

afterAll(async () => {
  await ministack?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** What the Cloud's console shows; the stand-in's authority is named in it, as an Advanced cluster's is. */
function pasted(): string {
  const { user, password, host, standIn } = cloud
  const query = `sslmode=verify-full&sslrootcert=${join(folder, 'own-ca.crt')}`
  return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${standIn.port}/defaultdb?${query}`
}

describe.each(['layer', 'cdk', 'serverless', 'layer --python', 'serverless --python'])('with --%s', (options) => {
  const [tool = ''] = options.split(' ')
  const isPython = options.includes('--python')

  /** The commands that `init` printed, in their order. */
  let next: readonly string[]
  const mine = join(folder, options.replaceAll(' ', ''))
  /** Types a line in the reader's folder, where the command finds the stand-in by its name. */
  const type = (line: string) =>
    ministack.sh(`export NODE_OPTIONS=${LOOPBACK_NAMES} PATH=${join(folder, 'node_modules/.bin')}:$PATH; ${line}`, {
      cwd: mine,
    })
  const command = (words: string): string => next.find((line) => line.includes(words)) ?? ''

  test('init writes the files, and prints what comes next', async () => {
    mkdirSync(mine)
    symlinkSync('../node_modules', join(mine, 'node_modules'))
    const printed = await type(`npx cockroach-lambda init --${options}`)
    next = printed.split('\n').flatMap((line) => /^ {2}(?!#)(.*)$/.exec(line)?.[1] ?? [])
    expect(next).toHaveLength(isPython ? 6 : 5)
  })

  test('its unit test passes', async () => {
    expect(await type(isPython ? `${command('unittest')} 2>&1` : command('node --test'))).toMatch(
      /pass 2|Ran 2 tests.*OK/s,
    )
  })

  test('the pasted connection string is checked, and stored', async () => {
    const there = await ministack.aws('secretsmanager list-secrets --query "length(SecretList)"')
    if (there === 0) await type(command('create-secret'))
    writeFileSync(join(mine, 'secret.txt'), `${pasted()}\n`)
    const printed = await type(`${command('secret put')} < secret.txt && rm secret.txt`)
    expect(printed).not.toContain(cloud.password)
    const stored = await ministack.aws('secretsmanager get-secret-value --secret-id app/db --query SecretString')
    expect(JSON.parse(String(stored))).toMatchObject({ host: cloud.host, username: cloud.user, dbname: 'defaultdb' })
  })

  if (isPython) {
    test('its packages are those for Lambda, here those for the emulator', async () => {
      await type(command('build.sh'))
      expect(readdirSync(join(mine, 'build/psycopg_binary')).join()).toContain('cpython-313-aarch64-linux-gnu.so')
      // The emulator runs functions with the Python of this machine, and without the SDK that Lambda's has.
      writeFileSync(join(mine, 'requirements.txt'), 'psycopg[binary]\nboto3\n')
      const script = readFileSync(join(mine, 'build.sh'), 'utf8')
      writeFileSync(
        join(mine, 'build.sh'),
        script.replace('--platform manylinux_2_28_aarch64 --python-version 3.13', ''),
      )
      await type(command('build.sh'))
    })
  }

  test('it is deployed, again too, and answers from the database', async () => {
    // The packages are there, as links.
    const deploy = tool === 'cdk' ? 'npx cdk deploy --require-approval never' : command('deploy')
    if (tool === 'cdk') await type(`npx cdk bootstrap aws://${ACCOUNT}/${REGION} --no-notices`)
    await type(deploy)
    await type(deploy)
    expect(await invokeFunction(ministack, 'my-function', { name: 'Rex' })).toEqual({
      payload: { greeting: 'Hello, Rex!' },
      functionError: undefined,
    })
  })

  test('the doctor’s reports from here and from the function are green', async () => {
    const printed = await type(command('doctor'))
    expect(printed).toContain('All is well.')
    expect(printed).not.toContain(cloud.password)
    await ministack.sh('aws lambda delete-function --function-name my-function')
  })
})
