/** `init`: writes a small function, its unit test, and what one tool needs to deploy it. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { type Arguments, type Run, UsageError } from './command.ts'
import { OK } from './exit-codes.ts'
import { PROGRAM } from './help.ts'
import { quoted, wrapped } from './text.ts'

/** The command that deploys, by the option that names the tool. */
const DEPLOYS = {
  layer: './deploy.sh',
  cdk: 'npm install --save-dev aws-cdk aws-cdk-lib constructs esbuild && npx cdk deploy',
  sam: 'sam deploy --guided',
  terraform: 'terraform init && terraform apply',
  serverless: 'npx osls deploy',
} as const

type Tool = keyof typeof DEPLOYS

interface Language {
  /** Of the folder with its templates. */
  readonly name: string
  /** As AWS names it. */
  readonly runtime: string
  /** The folder that is deployed. */
  readonly code: string
  /** The command that runs the unit test. */
  readonly test: string
  /** The command that makes that folder, and what it does. */
  readonly build: readonly (readonly [does: string, command: string])[]
}

const NODEJS: Language = { name: 'nodejs', runtime: 'nodejs24.x', code: 'function', test: 'node --test', build: [] }
const PYTHON: Language = {
  ...{ name: 'python', runtime: 'python3.13', code: 'build', test: 'python3 -m unittest' },
  build: [['its packages, for Lambda', './build.sh']],
}

/** Beside the command in the npm package, and beside this file in the repository. */
const TEMPLATES = join(import.meta.dirname, 'templates')

/** The name of a secret: it is put into files of several languages, and into commands. */
const SECRET_NAME = /^[\w/+=.@-]{1,512}$/

/** @throws UsageError unless one tool is named */
function toolOf(given: Arguments): Tool {
  const named = (Object.keys(DEPLOYS) as Tool[]).filter((tool) => given.flag(tool))
  const [tool] = named
  if (tool !== undefined && named.length === 1) return tool
  const all = Object.keys(DEPLOYS).map((each) => `--${each}`)
  throw new UsageError(`name one tool to deploy with: ${all.join(', ')}`)
}

/** @throws UsageError for what is no name */
function secretNameOf(given: Arguments): string {
  const name = given.value('secret-id') ?? 'app/db'
  if (SECRET_NAME.test(name)) return name
  throw new UsageError(`--secret-id is not the name of a secret (${name.length} characters)`)
}

interface Target {
  /** Of the file to write. */
  readonly path: string
  readonly text: string
}

type Values = Readonly<Record<'secretId' | 'runtime' | 'code', string>>

/** The text with a value for each `{{name}}`. */
function filled(text: string, values: Values): string {
  return Object.entries(values).reduce((filledIn, [name, value]) => filledIn.replaceAll(`{{${name}}}`, value), text)
}

/** The files of a template's folder; npm leaves a `.gitignore` out of packages, so the template has no dot. */
function filesBelow(folder: string, values: Values): Target[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name)
      return {
        path: relative(folder, file).replace(/^gitignore$/, '.gitignore'),
        text: filled(readFileSync(file, 'utf8'), values),
      }
    })
}

/** Before anything is written. @throws UsageError where one cannot be made */
function makeFolders(folders: readonly string[]): void {
  for (const folder of new Set(folders)) {
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      const { code = '' } = Object(error)
      throw new UsageError(`the folder ${folder} cannot be made (${code}); nothing was written`)
    }
  }
}

export const runInit: Run = async (given, { stdout }) => {
  const tool = toolOf(given)
  const secretId = secretNameOf(given)
  const { name: language, runtime, code, test, build } = given.flag('python') ? PYTHON : NODEJS
  const [folder = '.'] = given.operands
  // What is alike in all, of the language, of the tool, and of the tool for this language.
  const folders = ['shared', language, tool, `${tool}-${language}`]
  const files = folders.flatMap((name) => filesBelow(join(TEMPLATES, name), { secretId, runtime, code }))
  // A folder under version control has one.
  const wanted = files.filter(({ path }) => path !== '.gitignore' || !existsSync(join(folder, path)))
  const present = wanted.map(({ path }) => path).filter((path) => existsSync(join(folder, path)))
  if (present.length > 0) {
    const are = present.length === 1 ? 'is' : 'are'
    throw new UsageError(`${present.join(', ')} ${are} there already; nothing was written. A folder may be named last`)
  }
  makeFolders(wanted.map(({ path }) => dirname(join(folder, path))))
  for (const { path, text } of wanted) {
    writeFileSync(join(folder, path), text)
    // npm keeps no modes in packages.
    if (path.endsWith('.sh')) chmodSync(join(folder, path), 0o755)
  }
  const written = wanted.map(({ path }) => path.split(sep).join('/')).toSorted()
  const next = [
    ...(folder === '.' ? [] : [['everything there', `cd ${quoted(folder)}`]]),
    ['its unit test', test],
    ['a secret, empty, if there is none', `aws secretsmanager create-secret --name ${secretId}`],
    ['from the Cloud console: checked, and stored', `${PROGRAM} secret put --secret-id ${secretId}`],
    ...build,
    ['to AWS', DEPLOYS[tool]],
    ['the way from here, and from the function', `${PROGRAM} doctor --secret-id ${secretId} --function my-function`],
  ]
  const lines = next.flatMap(([does, command]) => [`  # ${does}`, `  ${command}`])
  stdout.write(`${[...wrapped(`Written: ${written.join(', ')}.`), '', 'Next:', ...lines].join('\n')}\n`)
  return OK
}
