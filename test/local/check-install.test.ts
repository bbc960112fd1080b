import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const REPOSITORY = join(import.meta.dirname, '../..')
const CHECK = 'local/check-install.cjs'
const PACKAGES = { pg: '8.0.0', '@scope/name': '1.0.0', node: '24.0.0' }

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>
}

function readJson<Type>(name: string): Type {
  return JSON.parse(readFileSync(join(REPOSITORY, name), 'utf8'))
}

let folder: string

/** A clone with two development packages, one dependency, and nothing installed. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-check-install-'))
  const { pg, ...devDependencies } = PACKAGES
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { pg }, devDependencies }))
  writeFileSync(join(folder, 'script.ts'), "const ran: string = 'ran'\nconsole.log(ran)\n")
  mkdirSync(join(folder, 'local'))
  copyFileSync(join(REPOSITORY, CHECK), join(folder, CHECK))
})
afterEach(() => rmSync(folder, { recursive: true }))

function install(...paths: readonly string[]): void {
  for (const path of paths) mkdirSync(join(folder, 'node_modules', path), { recursive: true })
}

/** A script that runs after the check; without TypeScript, the process stands for an older Node.js. */
function run({ hasTypeScript }: { hasTypeScript: boolean }) {
  const options = hasTypeScript ? [] : ['--no-experimental-strip-types']
  const { status, stdout, stderr } = spawnSync(process.execPath, [...options, '-r', `./${CHECK}`, 'script.ts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('with everything installed, the script runs', () => {
  install(...Object.keys(PACKAGES), '.bin/node')
  expect(run({ hasTypeScript: true })).toEqual({ status: 0, stdout: 'ran\n', stderr: '' })
})

describe('says in one line what is missing and what to do:', () => {
  const version = process.versions.node
  test.each<[string, readonly string[], boolean, string]>([
    ['without node_modules', [], false, '3 of 3 packages are not installed: run npm ci --include=dev'],
    [
      'after NODE_ENV=production npm ci',
      ['pg'],
      true,
      '2 of 3 packages are not installed, @scope/name among them: run npm ci --include=dev',
    ],
    [
      'after npm ci --ignore-scripts, on an older Node.js',
      Object.keys(PACKAGES),
      false,
      `this is Node.js ${version}, which does not run TypeScript, and Node.js 24.0.0 is missing, since npm's install scripts were off: run npm ci --ignore-scripts=false`,
    ],
    [
      'after npm ci --ignore-scripts, on a newer Node.js',
      Object.keys(PACKAGES),
      true,
      "Node.js 24.0.0 is missing, since npm's install scripts were off: run npm ci --ignore-scripts=false",
    ],
    [
      'past npm, on an older Node.js',
      [...Object.keys(PACKAGES), '.bin/node'],
      false,
      `this is Node.js ${version}, which does not run TypeScript: start it by npm run or npx, which use Node.js 24.0.0`,
    ],
  ])('%s', (_name, installed, hasTypeScript, line) => {
    install(...installed)
    expect(run({ hasTypeScript })).toEqual({ status: 1, stdout: '', stderr: `cockroach-lambda: ${line}\n` })
  })
})

describe('stands in front of', () => {
  const { scripts } = readJson<Manifest>('package.json')
  const cdk = readJson<{ readonly app: string; readonly build: string }>('cdk.json')
  const commands = Object.entries({ ...scripts, 'cdk synth (app)': cdk.app, 'cdk synth (build)': cdk.build })

  // The set-ups of outside parts are scripts of a shell.
  test.each(commands.filter(([name]) => name !== 'test:fidelity:setup'))('%s', (_name, command) => {
    expect(command).toMatch(
      /^(?:exec )?node -r \.\/local\/check-install\.cjs |^node local\/check-install\.cjs && |^npm run --silent build && /,
    )
  })
})
