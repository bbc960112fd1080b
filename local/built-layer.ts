/** Builds the layer, as `npm run build` does. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { REPOSITORY, runScript } from './repository-script.ts'

const CACHE = join(REPOSITORY, 'node_modules/.cache')

/** The layer as `npm run build` made it. */
export interface BuiltLayer {
  /** Relative to the working folder. */
  readonly path: string
  readonly bytes: number
  /** Of the zip file, in hexadecimal. */
  readonly sha256: string
}

/** @throws Error saying why; `dist/` is then what it was before */
export async function buildLayer(signal?: AbortSignal): Promise<BuiltLayer> {
  const aside = await makeFolder()
  try {
    await runScript('layer/build.ts', { args: [aside], signal })
  } finally {
    // A build that is killed removes nothing.
    await rm(aside, { recursive: true, force: true })
  }
  const path = join(REPOSITORY, 'dist/layer.zip')
  const zip = await readFile(path)
  return {
    path: relative(process.cwd(), path),
    bytes: zip.length,
    sha256: createHash('sha256').update(zip).digest('hex'),
  }
}

async function makeFolder(): Promise<string> {
  try {
    await mkdir(CACHE, { recursive: true })
    return await mkdtemp(join(CACHE, 'dist-'))
  } catch (cause) {
    throw new Error(`cannot write to ${CACHE}: the layer is built in the clone, which must be writable`, { cause })
  }
}
