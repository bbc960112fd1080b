/** What a module exports. */
import { build } from 'esbuild'

/**
 * The names that an ES module exports, sorted, found without running it.
 * @param entry path of a TypeScript module.
 */
export async function exportedNames(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'warning',
  })
  return Object.values(metafile.outputs)
    .flatMap(({ exports }) => exports)
    .sort()
}
