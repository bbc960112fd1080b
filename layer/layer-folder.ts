/** Fills the folder that Lambda unpacks to `/opt`, and zips it. */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportedNames } from './exported-names.ts'
import { LAYER_OPTIONS } from './layer-bundle.ts'
import { type BuildFolders, bundleLibrary, reExportRequired } from './library-bundle.ts'
import { licensesText } from './licenses.ts'
import { listFiles, zipFolder } from './reproducible-zip.ts'
import { moveSourceMaps } from './source-maps.ts'

/** The layer's budget: what a cold start has to fetch, unpack and read. */
const MAX_ZIPPED_BYTES = 110_000
const MAX_UNPACKED_BYTES = 400_000

/** Where Lambda's `NODE_PATH` looks, below `/opt`. The module finds `certs/root.crt` three folders up. */
const MODULE_FOLDER = 'nodejs/node_modules/cockroach-lambda'

/** What the build reports. */
export interface LayerReport {
  /** Path of the zip file. */
  readonly path: string
  /** Size of the zip file. */
  readonly bytes: number
  readonly unpackedBytes: number
  /** Of the zip file, in hexadecimal. */
  readonly sha256: string
}

/**
 * Builds `<out>/layer/`, `<out>/layer.zip` and, for stack traces, `<out>/layer-source-maps/`.
 * @throws Error when either is over its budget.
 */
export async function buildLayer({ repository, out }: BuildFolders): Promise<LayerReport> {
  const layer = join(out, 'layer')
  const module = join(layer, MODULE_FOLDER)
  const inputs = await bundleLibrary({ repository, out: module }, LAYER_OPTIONS)
  moveSourceMaps({ repository, from: module, to: join(out, 'layer-source-maps') })
  const write = (name: string, text: string) => writeFileSync(join(module, name), text)
  write('index.mjs', reExportRequired('index.cjs', await exportedNames(join(repository, 'src/index.ts'))))
  write('package.json', layerManifest(repository))
  write('LICENSES', licensesText(repository, inputs))
  mkdirSync(join(layer, 'certs'), { recursive: true })
  copyFileSync(join(repository, 'certs/root.crt'), join(layer, 'certs/root.crt'))

  const path = join(out, 'layer.zip')
  const zip = await zipFolder(layer)
  writeFileSync(path, zip)
  const unpackedBytes = listFiles(layer).reduce((sum, file) => sum + readFileSync(join(layer, file)).length, 0)
  checkBudget('zipped', zip.length, MAX_ZIPPED_BYTES)
  checkBudget('unpacked', unpackedBytes, MAX_UNPACKED_BYTES)
  return { path, bytes: zip.length, unpackedBytes, sha256: createHash('sha256').update(zip).digest('hex') }
}

function layerManifest(repository: string): string {
  const { name, version, license }: Record<string, unknown> = JSON.parse(
    readFileSync(join(repository, 'package.json'), 'utf8'),
  )
  const exports = { '.': { import: './index.mjs', require: './index.cjs' }, './package.json': './package.json' }
  return `${JSON.stringify({ name, version, license, main: './index.cjs', exports }, null, 2)}\n`
}

function checkBudget(what: string, bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new Error(`the layer is ${bytes} bytes ${what}; its budget is ${maxBytes}`)
}
