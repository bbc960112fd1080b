/** The rotation function: one CommonJS file, which finds the library in the layer and has its own part of the AWS SDK in it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { LAYER_OPTIONS } from './layer-bundle.ts'
import { type BuildFolders, COMMONJS } from './library-bundle.ts'
import { licensesText } from './licenses.ts'

/** Fills `rotation/`, which the construct uploads. */
export async function bundleRotation({ repository, out }: BuildFolders): Promise<void> {
  const { mainFields = [], conditions = [], alias = {} } = LAYER_OPTIONS
  const { metafile } = await build({
    ...COMMONJS,
    ...{ mainFields, conditions, alias },
    absWorkingDir: repository,
    entryPoints: [join(repository, 'cdk/rotation/handler.ts')],
    external: ['cockroach-lambda'],
    // tsconfig.json maps the library's name to its sources; here it has to stay a name.
    tsconfigRaw: {},
    minify: true,
    legalComments: 'none',
    outfile: join(out, 'rotation/index.cjs'),
  })
  writeFileSync(join(out, 'rotation/LICENSES'), licensesText(repository, Object.keys(metafile?.inputs ?? {})))
}
