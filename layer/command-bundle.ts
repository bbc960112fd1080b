/** The command of the npm package: one CommonJS file, which starts faster than an ES module; it is not in the layer. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type BuildFolders, COMMONJS } from './library-bundle.ts'
import { licensesText } from './licenses.ts'

/** Bundles `cli/main.ts` with the rooms of `src/` and the prompt; `pg` and the AWS SDK stay dependencies. */
export async function bundleCommand({ repository, out }: BuildFolders): Promise<void> {
  const outfile = join(out, 'cli.cjs')
  const { metafile } = await build({
    ...COMMONJS,
    absWorkingDir: repository,
    entryPoints: [join(repository, 'cli/main.ts')],
    external: ['pg', '@aws-sdk/*'],
    banner: { js: '#!/usr/bin/env node' },
    legalComments: 'none',
    outfile,
  })
  chmodSync(outfile, 0o755)
  writeFileSync(join(out, 'cli-licenses.txt'), licensesText(repository, Object.keys(metafile?.inputs ?? {})))
}
