/** `npm run build`: the npm package and the layer, from nothing, into `dist/`. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { buildLayer } from './layer-folder.ts'
import { buildPackage } from './package-folder.ts'

const repository = join(import.meta.dirname, '..')
const dist = join(repository, 'dist')

/** On the disk of `dist/`, or nothing could be moved into place. */
function makeFolder(): string {
  const cache = join(repository, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  return mkdtempSync(join(cache, 'dist-'))
}

// Built aside and moved into place, so that a failed build leaves the last good one. A caller that may kill this
// process names the folder, and removes it.
const aside = process.argv[2] ?? makeFolder()
// A folder inside, which becomes `dist/` with the umask's mode: mkdtemp's own has mode 0700.
const out = join(aside, 'dist')
mkdirSync(out)
try {
  await buildPackage({ repository, out })
  const { path, bytes, unpackedBytes, sha256 } = await buildLayer({ repository, out })
  // Two renames in a row, so that `dist/` is missing for a moment only.
  const last = join(aside, 'last')
  if (existsSync(dist)) renameSync(dist, last)
  renameSync(out, dist)
  const zip = relative(process.cwd(), join(dist, relative(out, path)))
  // On stderr: `cdk synth` and `npm start -- --json` run this and own stdout.
  console.error(`${zip}: ${bytes} bytes, ${unpackedBytes} unpacked, SHA-256 ${sha256}`)
} catch (error) {
  // Not thrown: Node would print the zip library's source, which is one long line, before the error. A folder that
  // cannot be written to needs no stack.
  console.error(error instanceof Error && 'syscall' in error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(aside, { recursive: true, force: true })
}
