import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { readPage } from './support/page.ts'

const REPOSITORY = join(import.meta.dirname, '..')

/** The rooms of `src/`, from the ground up: each imports, types included, only rooms before it. Files of `src/` itself are rooms. */
const ROOMS = [
  ...['base', 'routing', 'connection-string', 'settings', 'lambda', 'secret', 'password-source'],
  ...['connection', 'pool'],
  ...['transaction', 'health-check.ts', 'open-database.ts', 'database.ts', 'with-database.ts', 'index.ts'],
]

/** The relative imports of each file below a folder, types included, as paths relative to that folder. */
function relativeImports(folder: string): ReadonlyMap<string, readonly string[]> {
  const root = join(REPOSITORY, folder)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return new Map(
    files.map((name) => {
      const paths = [...readFileSync(join(root, name), 'utf8').matchAll(/(?:from |import |import\()'(\.[^']+\.ts)'/g)]
      return [name, paths.map(([, path = '']) => join(dirname(name), path))]
    }),
  )
}

/** Every circle of imports, as the way round from its first file back to it. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const circles: string[][] = []
  /** Files whose imports were followed to the end: every circle that they are part of is known. */
  const followed = new Set<string>()
  const follow = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file])
    else if (!followed.has(file)) {
      for (const imported of imports.get(file) ?? []) follow(imported, [...way, file])
      followed.add(file)
    }
  }
  for (const file of imports.keys()) follow(file, [])
  return circles
}

describe('src/', () => {
  const imports = relativeImports('src')
  const roomOf = (path: string): string => path.split('/')[0] ?? ''
  const rooms = new Map([...imports.keys()].map((path) => [roomOf(path), [] as string[]]))
  for (const [path, imported] of imports) rooms.get(roomOf(path))?.push(...imported)

  test('the order of rooms names every room, and no other', () => {
    expect([...rooms.keys()].sort()).toEqual([...ROOMS].sort())
  })

  test.each(ROOMS)('%s imports only itself and rooms below it', (room) => {
    const known = ROOMS.slice(0, ROOMS.indexOf(room) + 1)
    expect(rooms.get(room)?.filter((path) => !known.includes(roomOf(path)))).toEqual([])
  })

  test('src/README.md draws the rooms, the highest first', () => {
    const [drawing] = readPage('src/README.md').snippets
    const drawn = [...(drawing?.text ?? '').matchAll(/^([\w.-]+)\/? /gm)].map(([, room]) => room)
    expect(drawn.toSorted()).toEqual(ROOMS.toSorted())
    for (const [index, room] of drawn.entries()) {
      const below = drawn.slice(index)
      expect(rooms.get(room ?? '')?.filter((path) => !below.includes(roomOf(path)))).toEqual([])
    }
  })

  test('no file has more than 250 lines', () => {
    const lines = [...imports.keys()].map((file) => {
      const text = readFileSync(join(REPOSITORY, 'src', file), 'utf8')
      return { file, lines: text.split('\n').length - 1 }
    })
    expect(lines.filter((each) => each.lines > 250)).toEqual([])
  })

  test('only settings/settings.ts reads process.env', () => {
    const seeing = [...imports.keys()].filter((name) =>
      /\bprocess\.env\b|\benv\b.*from 'node:process'/.test(
        readFileSync(join(REPOSITORY, 'src', name), 'utf8').replace(/\/\*\*.*?\*\/|\/\/[^\n]*/gs, ''),
      ),
    )
    expect(seeing).toEqual(['settings/settings.ts'])
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
      ['pg', 'src/pool/bundled-pg.ts'],
      ['@aws-sdk/client-secrets-manager', 'src/secret/reader/secrets-manager.ts'],
    ])('%s is imported by %s alone', (name, file) => {
      expect(importers.get(name)).toEqual([file])
    })

    test('no other package is imported', () => {
      const packages = [...importers.keys()].filter((path) => !/^node:|^src\//.test(path))
      expect(packages.sort()).toEqual(['@aws-sdk/client-secrets-manager', 'pg'])
    })
  })
})

test.each(['src', 'cli', 'cdk', 'layer', 'certs', 'local', 'bench', 'test'])(
  'no file of %s/ is in a circle of imports, types included',
  (folder) => expect(circlesOf(relativeImports(folder))).toEqual([]),
)

/** The imports of the constructs; `cdk/rotation/` is the code of a function, of which they know the names of its variables. */
const CONSTRUCTS = [...relativeImports('cdk')].filter(([file]) => !file.startsWith('rotation/'))

test('cdk/ shares with src/ only names of variables and metrics, words of clusterRouting, and the search for the nearest', () => {
  const outside = CONSTRUCTS.flatMap(([, paths]) => paths).filter((path) => path.startsWith('../'))
  const shared = [
    ...['base/environment-variables.ts', 'base/metric-names.ts', 'base/nearest.ts'],
    'routing/cluster-routing.ts',
  ]
  expect(new Set(outside)).toEqual(new Set(shared.map((path) => `../src/${path}`)))
})

test('the rotation function has of src/ only what reads secrets and texts, and is no part of the constructs', () => {
  const outside = [...relativeImports('cdk/rotation').values()].flat().filter((path) => path.startsWith('../'))
  const rooms = new Set(
    outside.map((path) => path.replace(/^(\.\.\/\.\.\/src\/[\w-]+(?:\/value)?)\/[\w-]+\.ts$/, '$1')),
  )
  expect([...rooms].sort()).toEqual(['base', 'connection-string', 'secret/value'].map((room) => `../../src/${room}`))
  const known = CONSTRUCTS.flatMap(([, paths]) => paths).filter((path) => path.startsWith('rotation/'))
  expect(known).toEqual(['rotation/variables.ts'])
})

test('nothing but the build knows cli/, which imports nothing but src/', () => {
  const outside = [...relativeImports('cli').values()].flat().filter((path) => path.startsWith('../'))
  expect(outside.filter((path) => !path.startsWith('../src/'))).toEqual([])
  for (const folder of ['src', 'cdk', 'layer', 'local']) {
    expect([...relativeImports(folder).values()].flat().filter((path) => path.includes('cli/'))).toEqual([])
  }
})

test('only cli/main.ts reads the environment of the process for the command', () => {
  const seeing = [...relativeImports('cli').keys()].filter((name) =>
    /\bprocess\.env\b|\benv\b.*= process\b/.test(readFileSync(join(REPOSITORY, 'cli', name), 'utf8')),
  )
  expect(seeing).toEqual(['main.ts'])
})

test.each(['layer', 'certs'])('%s/ imports nothing from elsewhere', (folder) => {
  const outside = [...relativeImports(folder).values()].flat().filter((path) => path.startsWith('../'))
  expect(outside).toEqual([])
})
