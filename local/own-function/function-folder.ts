/** Checks the folder of the reader's function before anything is started, and says what to do instead. */
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What Lambda's runtime looks for, in the words of an error. */
const EXTENSIONS = ['.mjs', '.cjs', '.js']
const TYPESCRIPT = ['.ts', '.mts', '.cts', '.tsx']
/** CommonJS among the packages that are bundled needs `require`, which an ES module does not have. */
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"

/** @throws Error, unless the folder has the handler's file; whether that exports the handler, only running it shows */
export async function checkFunctionFolder(folder: string, handler: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined) throw new Error(`--function: ${folder} does not exist`)
  if (!found.isDirectory()) throw new Error(`--function: ${folder} is not a folder; name the one that it is in`)
  const [, file] = /^([^.]+)\../.exec(basename(handler)) ?? []
  if (file === undefined || handler.includes('..'))
    throw new Error(`--handler: expected FILE.EXPORT, for example index.handler, with FILE below ${folder}`)

  const module = join(folder, dirname(handler), file)
  // A folder of that name with an index.js is a module for Lambda too.
  if (['', ...EXTENSIONS].some((extension) => existsSync(module + extension))) return
  const names = EXTENSIONS.map((extension) => file + extension).join(', ')
  const beside = await readdir(dirname(module)).catch((): string[] => [])
  const source = TYPESCRIPT.map((extension) => file + extension).find((name) => beside.includes(name))
  if (source !== undefined) {
    throw new Error(typeScriptText(folder, join(dirname(module), source), names, basename(handler)))
  }
  const others = beside.filter((name) => EXTENSIONS.some((extension) => name.endsWith(extension))).sort()
  const hint =
    others.length === 0
      ? 'the folder to name is the one that you would upload'
      : `found ${others.join(', ')}: name one with --handler, for example --handler ${modulePath(handler, others[0])}.handler`
  throw new Error(`${dirname(module)} has none of ${names}; ${hint}`)
}

function modulePath(handler: string, name = ''): string {
  return join(dirname(handler), name.replace(/\.[^.]+$/, ''))
}

function typeScriptText(folder: string, source: string, names: string, handler: string): string {
  const out = join(folder, 'dist')
  const bundle = join(out, `${basename(source).replace(/\.[^.]+$/, '')}.mjs`)
  return [
    `${source} is TypeScript, and there is none of ${names}, which Lambda runs. Bundle it, and name the folder of the bundle:`,
    `npx esbuild ${quoted(source)} --bundle --platform=node --target=node24 --format=esm --external:cockroach-lambda --banner:js="${BANNER}" --outfile=${quoted(bundle)}`,
    `npm start -- --function ${quoted(out)}${handler === 'index.handler' ? '' : ` --handler ${handler}`}`,
  ].join('\n  ')
}

/** As a word of a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
