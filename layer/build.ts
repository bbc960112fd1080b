/** `npm run build`: the npm package and the layer, from nothing, into `dist/`. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { buildLayer } from './layer-folder.ts'
import { buildPackage } from './package-folder.ts'

const repository = join(import.meta.dirname, '..')
const dist = join(repository, 'dist')
const cache = join(repository, 'node_modules/.cache')

// Built aside and moved into place, so that a failed build leaves the last good one.
mkdirSync(cache, { recursive: true })
const aside = mkdtempSync(join(cache, 'dist-'))
// A folder inside: mkdtemp's own is for its maker's eyes, and this one becomes `dist/`, with the umask's mode.
const out = join(aside, 'dist')
mkdirSync(out)
try {
  await buildPackage({ repository, out })
  const { path, bytes, unpackedBytes, sha256 } = await buildLayer({ repository, out })
  // Two renames, one after the other: who reads `dist/` meanwhile finds the one or the other.
  const last = join(aside, 'last')
  if (existsSync(dist)) renameSync(dist, last)
  renameSync(out, dist)
  const zip = relative(process.cwd(), join(dist, relative(out, path)))
  // On stderr: `cdk synth` and `npm start -- --json` run this and own stdout.
  console.error(`${zip}: ${bytes} bytes, ${unpackedBytes} unpacked, SHA-256 ${sha256}`)
} catch (error) {
  // Not thrown on: the zip library would print itself, all in one line, before the error.
  console.error(error)
  process.exitCode = 1
} finally {
  rmSync(aside, { recursive: true, force: true })
}
