/** Makes a folder of `examples/` deployable: its files, those that all examples share, and the packages that it names. */
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { copyPackages } from './package-closure.ts'

const REPOSITORY = join(import.meta.dirname, '..')
const EXAMPLES = join(REPOSITORY, 'examples')
const SHARED = 'shared'

/** Makes nothing but the client: the schema engine, which Prisma would download, is for its own migrations. */
const PRISMA_VARIABLES = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }

export interface ExampleManifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** The names of the examples, sorted. */
export async function exampleNames(): Promise<readonly string[]> {
  const entries = await readdir(EXAMPLES, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() && entry.name !== SHARED ? [entry.name] : [])).sort()
}

export async function exampleManifest(name: string): Promise<ExampleManifest> {
  return JSON.parse(await readFile(join(EXAMPLES, name, 'package.json'), 'utf8'))
}

/** Fills `target`; its handlers are `index.handler` and `migrate.handler`. */
export async function writeExample(name: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true })
  for (const folder of [SHARED, name]) await cp(join(EXAMPLES, folder), target, { recursive: true })
  const { dependencies, devDependencies = {} } = await exampleManifest(name)
  await copyPackages(Object.keys(dependencies), REPOSITORY, target)
  if ('prisma' in devDependencies) await generatePrismaClient(target)
}

async function generatePrismaClient(folder: string): Promise<void> {
  const prisma = join(REPOSITORY, 'node_modules/prisma/build/index.js')
  await promisify(execFile)(process.execPath, [prisma, 'generate', '--schema', 'schema.prisma'], {
    cwd: folder,
    env: { ...process.env, ...PRISMA_VARIABLES },
  })
}
