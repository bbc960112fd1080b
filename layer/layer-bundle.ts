/** The layer's bundle contains all dependencies, without the code that a Lambda function cannot use. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions, Plugin } from 'esbuild'
import { finishedFiles } from './finished-files.ts'
import { replacedModules } from './replaced-modules.ts'

/** The SDK reads its version, and nothing else, from its whole package.json. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup({ onLoad }) {
    onLoad({ filter: /client-secrets-manager[\\/]package\.json$/ }, ({ path }) => {
      const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'))
      return { contents: JSON.stringify({ version }), loader: 'json' }
    })
  },
}

/** esbuild's options for the layer, on top of those of the npm package. */
export const LAYER_OPTIONS: BuildOptions = {
  minify: true,
  // esbuild leaves unused code of ES modules out: a third of the bytes of the SDK's CommonJS files, see bench/README.md.
  mainFields: ['module', 'main'],
  conditions: ['module'],
  alias: { '@aws-sdk/credential-provider-node': join(import.meta.dirname, 'environment-credentials.ts') },
  define: { IN_LAYER: 'true' },
  legalComments: 'none',
  // Beside the files, and not named in them: layer-folder.ts moves them out of the layer.
  sourcemap: 'external',
  sourcesContent: false,
  plugins: [replacedModules, versionOnly, finishedFiles],
}
