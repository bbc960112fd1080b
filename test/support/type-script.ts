/** TypeScript 5, as the type checker of packages has it: the project's own has no `moduleResolution: node10` and no language service in JavaScript. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

/** The folder of the package `typescript`, version 5. */
export function typeScript5Folder(): string {
  const manifest = ['@arethetypeswrong/cli/package.json', '@arethetypeswrong/core', 'typescript/package.json'].reduce(
    (importer, name) => createRequire(importer).resolve(name),
    import.meta.filename,
  )
  return dirname(manifest)
}
