/** The functions of `test/fixtures/lambda`, each in an execution environment that ends with its test. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { onTestFinished } from 'vitest'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from '../../local/lambda/execution-environment.ts'
import type { FunctionDefinition } from '../../local/lambda/function-definition.ts'

export const LAMBDA_FIXTURES = join(import.meta.dirname, '../fixtures/lambda')
/** A layer with an external extension, `recorder`, that prints its events. */
export const EXTENSION_LAYER = join(LAMBDA_FIXTURES, 'extension-layer')

/** Starts an environment of a handler in `test/fixtures/lambda/task`. */
export async function startFunction(
  handler: string,
  changes: Partial<FunctionDefinition> = {},
  options: ExecutionEnvironmentOptions = {},
): Promise<ExecutionEnvironment> {
  const definition: FunctionDefinition = {
    handler,
    code: join(LAMBDA_FIXTURES, 'task'),
    layers: [],
    environment: {},
    timeoutSeconds: 20,
    memoryMb: 256,
    runtime: 'nodejs24.x',
    ...changes,
  }
  const environment = await ExecutionEnvironment.start(definition, options)
  onTestFinished(async () => {
    await environment.shutdown()
  })
  return environment
}

/** Files that a test file makes for itself, and disposes of. */
export class Scratch implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), 'cockroach-lambda-scratch-')))
  }

  /** Writes a zip file; returns its path. */
  async zip(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const path = join(this.path, name)
    const entries = Object.entries(files).map(([entry, text]) => [entry, strToU8(text)])
    await writeFile(path, zipSync(Object.fromEntries(entries)))
    return path
  }

  /** Writes a folder of files; returns its path. */
  async folder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const path = join(this.path, name)
    for (const [file, text] of Object.entries(files)) {
      await mkdir(join(path, file, '..'), { recursive: true })
      await writeFile(join(path, file), text)
    }
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

const GREETING_FOLDER = 'nodejs/node_modules/greeting'

/** A layer, as a zip file, with a certificate and a package that says hello, for `import` and for `require`. */
export function writeLayerA(scratch: Scratch): Promise<string> {
  const exports = { '.': { import: './index.mjs', require: './index.cjs' } }
  return scratch.zip('layer-a.zip', {
    'certs/root.crt': 'root of layer a',
    [`${GREETING_FOLDER}/package.json`]: JSON.stringify({ name: 'greeting', version: '1.0.0', exports }),
    [`${GREETING_FOLDER}/index.mjs`]: "export const greet = () => 'hello from layer a,'",
    [`${GREETING_FOLDER}/index.cjs`]: "exports.greet = () => 'hello from layer a,'",
  })
}

/** A layer, as a folder, with the same package and nothing but another file for `import`. */
export function writeLayerB(scratch: Scratch): Promise<string> {
  return scratch.folder('layer-b', {
    [`${GREETING_FOLDER}/index.mjs`]: "export const greet = () => 'hello from layer b,'",
  })
}

export function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Linux's letter for a process: `T` is stopped, `Z` a zombie. Where nothing collects orphans, a killed process stays a zombie. */
export async function processState(pid: number | undefined): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return stat.slice(stat.lastIndexOf(') ') + 2)[0]
}

export function exist(paths: readonly string[]): boolean[] {
  return paths.map((path) => existsSync(path))
}
