/** Finds the outside parts that the set-ups in test/fidelity/setup installed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const CACHE = join(import.meta.dirname, '../../../node_modules/.cache/fidelity')

/**
 * The path of something that the set-up of a part installed or built.
 * @throws Error with the command that installs it, when it is missing.
 */
export function outsidePart(part: string, path: string): string {
  const found = join(CACHE, part, path)
  if (existsSync(found)) return found
  throw new Error(`${part} is not installed (no ${found}): run npm run test:fidelity:setup`)
}
