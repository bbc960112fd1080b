/** Copies packages with all that they depend on, as `npm install` would put them beside a function's code. */
import { cp, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/** Types and source maps, which no function loads. */
const NOT_LOADED = /\.(d\.[cm]?ts|map)$/

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
}

async function findPackage(name: string, from: string, root: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if ((await stat(join(candidate, 'package.json')).catch(() => undefined)) !== undefined) return candidate
    if (folder === root) throw new Error(`${name} is not installed for ${from}`)
  }
}

/** Folders of the packages and of their dependencies, without optional ones. */
async function closure(names: readonly string[], root: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const visit = async (name: string, from: string): Promise<void> => {
    const folder = await findPackage(name, from, root)
    if (found.has(folder)) return
    found.add(folder)
    const { dependencies = {} }: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    for (const dependency of Object.keys(dependencies)) await visit(dependency, folder)
  }
  for (const name of names) await visit(name, root)
  return found
}

/** Fills `<target>/node_modules` from those of `root`. */
export async function copyPackages(names: readonly string[], root: string, target: string): Promise<void> {
  for (const folder of await closure(names, root)) {
    const copy = join(target, relative(root, folder))
    await mkdir(dirname(copy), { recursive: true })
    await cp(folder, copy, {
      recursive: true,
      filter: (path) => !NOT_LOADED.test(path) && path !== join(folder, 'node_modules'),
    })
  }
}
