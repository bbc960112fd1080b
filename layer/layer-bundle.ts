/** What differs in the layer's bundle: everything inside, nothing that a Lambda function cannot use. */

import { join } from 'node:path'
import type { BuildOptions, Plugin } from 'esbuild'

/** Packages of pg's that are for other runtimes. pg looks for MODULE_NOT_FOUND and goes on without. */
const ABSENT = /^(?:pg-native|pg-cloudflare)$|^\.\/native$/

const absentModules: Plugin = {
  name: 'absent-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: ABSENT }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `throw Object.assign(new Error('${path} is not in the layer'), { code: 'MODULE_NOT_FOUND' })`,
    }))
  },
}

/** The SDK reads its version, and nothing else, from its whole package.json. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup({ onLoad }) {
    onLoad({ filter: /client-secrets-manager[\\/]package\.json$/ }, async ({ path }) => {
      const { default: manifest } = await import(path, { with: { type: 'json' } })
      return { contents: JSON.stringify({ version: manifest.version }), loader: 'json' }
    })
  },
}

/** esbuild's options for the layer, on top of those of the npm package. */
export function layerOptions(): BuildOptions {
  return {
    minify: true,
    // The SDK's ES modules shake to a third of its CommonJS files.
    mainFields: ['module', 'main'],
    conditions: ['module'],
    alias: { '@aws-sdk/credential-provider-node': join(import.meta.dirname, 'environment-credentials.ts') },
    define: { 'process.env.NODE_PG_FORCE_NATIVE': 'undefined' },
    legalComments: 'none',
    plugins: [absentModules, versionOnly],
  }
}
