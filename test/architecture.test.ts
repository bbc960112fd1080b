import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'

const REPOSITORY = join(import.meta.dirname, '..')

/** Data flows one way: a file may import, types included, only files that stand above it. */
const ORDER = [
  // What everything may use.
  'environment-variables',
  'clock',
  'backoff',
  'nearest',
  'password',
  'connection-error',
  'connection-fields',
  'problems',
  'diagnostics',
  'deadline',
  // Connection strings and routing: pure.
  'routing-host',
  'routing',
  'connection-string-placeholder',
  'connection-string-refusal',
  'connection-string-values',
  'connection-string-decoding',
  'connection-string-parameters',
  'connection-string-authority',
  'connection-string-wrapping',
  'connection-string-url',
  'connection-string-writer',
  'keyword-value',
  'connection-string',
  // Settings: options and environment.
  'database-options',
  'role-access',
  'settings',
  // Secret.
  'put-secret-value',
  'secret-value-request',
  'secret-error',
  'secret-value-keys',
  'secret-value-text',
  'secret-value-fields',
  'secret-value-agreement',
  'secret-value',
  'secrets-manager',
  'secret-answer',
  'signature',
  'signed-request',
  'secrets-extension',
  'secret-readers',
  'secret-source',
  // Connection parameters, with the root certificate.
  'root-certificate',
  'tls',
  'connection-parameters',
  'connection-source',
  'rehearsal',
  'connect-error',
  'login-guard',
  'login',
  // Pool.
  'pg',
  'cancel-request',
  'statement-error',
  'checkout',
  'permits',
  'client',
  'connection-opener',
  'pool',
  // Database.
  'transaction-options',
  'transaction',
  'extension-worker',
  'graceful-shutdown',
  'health-check',
  'database',
  'with-database',
  'index',
]

/** The relative imports of each file of a folder, types included. */
function relativeImports(folder: string): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(join(REPOSITORY, folder)).filter((name) => name.endsWith('.ts'))
  return new Map(
    files.map((name) => {
      const text = readFileSync(join(REPOSITORY, folder, name), 'utf8')
      return [
        name.replace(/\.ts$/, ''),
        [...text.matchAll(/(?:from |import |import\()'(\.[^']+)\.ts'/g)].map(([, path = '']) => path),
      ]
    }),
  )
}

describe('src/', () => {
  const imports = relativeImports('src')

  test('every file has its place in the order, and no place is empty', () => {
    expect([...imports.keys()].sort()).toEqual([...ORDER].sort())
  })

  test.each(ORDER)('%s imports only what stands above it', (name) => {
    const above = ORDER.slice(0, ORDER.indexOf(name)).map((other) => `./${other}`)
    expect(imports.get(name)?.filter((path) => !above.includes(path))).toEqual([])
  })

  test('only settings.ts sees process.env', () => {
    const seeing = [...imports.keys()].filter((name) =>
      /\bprocess\.env\b|\benv\b.*from 'node:process'/.test(
        readFileSync(join(REPOSITORY, 'src', `${name}.ts`), 'utf8').replace(/\/\*\*.*?\*\/|\/\/.*/gs, ''),
      ),
    )
    expect(seeing).toEqual(['settings'])
  })

  describe('in the bundle', () => {
    /** Paths of files by the package that they import when they run. */
    const importers = new Map<string, string[]>()

    beforeAll(async () => {
      const { metafile } = await build({
        absWorkingDir: REPOSITORY,
        entryPoints: ['src/index.ts'],
        bundle: true,
        packages: 'external',
        platform: 'node',
        format: 'esm',
        write: false,
        metafile: true,
      })
      for (const [file, { imports: paths }] of Object.entries(metafile.inputs)) {
        for (const { path } of paths) importers.set(path, [...(importers.get(path) ?? []), file])
      }
    })

    test.each([
      ['pg', 'src/pg.ts'],
      ['@aws-sdk/client-secrets-manager', 'src/secrets-manager.ts'],
    ])('%s is imported by %s alone', (name, file) => {
      expect(importers.get(name)).toEqual([file])
    })

    test('no other package is imported', () => {
      const packages = [...importers.keys()].filter((path) => !/^node:|^src\//.test(path))
      expect(packages.sort()).toEqual(['@aws-sdk/client-secrets-manager', 'pg'])
    })
  })
})

test('cdk/ shares with src/ only the names of environment variables, and the search for the nearest', () => {
  const outside = [...relativeImports('cdk').values()].flat().filter((path) => !path.startsWith('./'))
  expect(new Set(outside)).toEqual(new Set(['../src/environment-variables', '../src/nearest']))
})

test.each(['layer', 'certs'])('%s/ imports nothing from elsewhere', (folder) => {
  const outside = [...relativeImports(folder).values()].flat().filter((path) => !path.startsWith('./'))
  expect(outside).toEqual([])
})
