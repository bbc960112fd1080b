import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCloud, type TestCloud } from '../support/database.ts'
import { SNIPPETS } from '../support/page.ts'
import { ACCOUNT, firstJson, type Ministack, startMinistack } from './support/ministack.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const ROLE = `arn:aws:iam::${ACCOUNT}:role/any`
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-readme-shell-'))
let ministack: Ministack
let cloud: TestCloud

/** The README's one line of a shell that begins so. */
function line(start: string): string {
  const lines = SNIPPETS.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'))
  const [found, ...others] = lines.filter((each) => each.startsWith(start))
  if (found === undefined || others.length > 0) expect.fail(`README.md: not exactly one line begins with ${start}`)
  return found
}

beforeAll(async () => {
  cloud = await openCloud()
  ministack = await startMinistack(folder)
  // The folder is where the README's reader stands: the built layer is below it.
  symlinkSync(join(REPOSITORY, 'dist'), join(folder, 'dist'), 'junction')
  const { user, password, host, standIn } = cloud
  const text = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${standIn.port}/defaultdb\n`
  writeFileSync(join(folder, 'secret.txt'), text)
})

afterAll(async () => {
  await ministack?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

test('aws lambda publish-layer-version accepts the built layer', async () => {
  expect(JSON.parse(await ministack.sh(line('aws lambda publish-layer-version'), { cwd: folder }))).toMatchObject({
    Version: 1,
    CompatibleRuntimes: ['nodejs24.x', 'nodejs22.x'],
  })
})

test('aws secretsmanager create-secret stores the file as it is', async () => {
  expect(JSON.parse(await ministack.sh(line('aws secretsmanager create-secret'), { cwd: folder }))).toMatchObject({
    Name: 'app/db',
  })
})

test.each([
  ['index.mjs', 'withDatabase(async', { greeting: 'hello' }],
  ['index.cjs', 'exports.handler', { now: expect.any(String) }],
])("a function of the README's %s then answers from the database", async (file, words, answer) => {
  const code = SNIPPETS.find(({ text }) => text.includes(words))?.text ?? ''
  const name = file.replace('.', '-')
  mkdirSync(join(folder, name))
  // ministack looks for index.js; what kind of module it is, package.json says.
  writeFileSync(join(folder, name, 'index.js'), code)
  writeFileSync(
    join(folder, name, 'package.json'),
    JSON.stringify({ type: file.endsWith('.mjs') ? 'module' : 'commonjs' }),
  )
  // The stand-in's authority instead of the public ones.
  writeFileSync(join(folder, 'own-ca.crt'), cloud.authority.certificate)
  const layer = await ministack.aws('lambda list-layers --query "Layers[0].LatestMatchingVersion.LayerVersionArn"')
  const variables = `COCKROACH_SECRET_ID=app/db,PGSSLROOTCERT=${join(folder, 'own-ca.crt')}`
  await ministack.sh(
    `(cd ${name} && python3 -m zipfile -c ../${name}.zip index.js package.json) && aws lambda create-function --function-name ${name} --runtime nodejs24.x --handler index.handler --timeout 10 --role ${ROLE} --zip-file fileb://${name}.zip --layers ${layer} --environment "Variables={${variables}}"`,
    { cwd: folder },
  )
  expect(firstJson(await ministack.sh(`aws lambda invoke --function-name ${name} /dev/stdout`))).toEqual(answer)
})
