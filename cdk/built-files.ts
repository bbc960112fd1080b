/** Where the constructs find what `npm run build` made: from the sources, and from the installed package. */
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * The path of something in `dist/`.
 * @throws Error that names the command to run, when it is not built.
 */
export function builtPath(name: string): string {
  const parent = dirname(import.meta.dirname)
  const dist = basename(parent) === 'dist' ? parent : join(parent, 'dist')
  const path = join(dist, name)
  if (!existsSync(path)) throw new Error(`${path} does not exist: run npm run build`)
  return path
}
