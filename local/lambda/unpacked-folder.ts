/** Unpacks code and layers, once per content: environments that run the same thing share one folder. */
import { createHash, type Hash } from 'node:crypto'
import { chmod, cp, lstat, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { unzipSync } from 'fflate'
import { makeTemporaryFolder, removeTemporaryFolder } from './temporary-folder.ts'

/** A folder to read from; call `release` once, when it is no longer needed. */
export interface UnpackedFolder {
  readonly path: string
  release(): Promise<void>
}

interface SharedFolder {
  readonly path: Promise<string>
  users: number
}

const shared = new Map<string, SharedFolder>()

/** Lays zip files and folders over each other, in order, as Lambda does with the layers of a function. */
export async function unpack(sources: readonly string[]): Promise<UnpackedFolder> {
  const key = await contentHash(sources)
  const folder = shared.get(key) ?? { path: unpackAnew(sources), users: 0 }
  shared.set(key, folder)
  folder.users += 1
  const release = async () => {
    folder.users -= 1
    if (folder.users > 0) return
    // From now on callers unpack anew, instead of using a folder that is being removed.
    if (shared.get(key) === folder) shared.delete(key)
    const path = await folder.path.catch(() => undefined)
    if (path !== undefined) await removeTemporaryFolder(path)
  }
  try {
    return { path: await folder.path, release }
  } catch (error) {
    await release()
    throw error
  }
}

async function unpackAnew(sources: readonly string[]): Promise<string> {
  const target = await makeTemporaryFolder()
  try {
    for (const source of sources) {
      const isFolder = (await stat(source)).isDirectory()
      await (isFolder ? cp(source, target, { recursive: true, verbatimSymlinks: true }) : unzip(source, target))
    }
    await makeExtensionsExecutable(join(target, 'extensions'))
    return target
  } catch (error) {
    await removeTemporaryFolder(target)
    throw error
  }
}

async function unzip(source: string, target: string): Promise<void> {
  for (const [name, bytes] of Object.entries(unzipSync(await readFile(source)))) {
    const path = resolve(target, name)
    if (!path.startsWith(target + sep)) throw new Error(`${source} contains "${name}", which is outside its folder`)
    await mkdir(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (!name.endsWith('/')) await writeFile(path, bytes)
  }
}

/** Unzipping loses mode bits; Lambda runs these files only if they are executable. */
async function makeExtensionsExecutable(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  await Promise.all(entries.filter((entry) => entry.isFile()).map(({ name }) => chmod(join(folder, name), 0o755)))
}

async function contentHash(sources: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) {
    const found = await stat(source).catch((cause: unknown) => {
      throw new Error(`${source} is not a zip file or folder: was it built?`, { cause })
    })
    await (found.isDirectory() ? addFolder(hash, source) : addFile(hash, source, ''))
  }
  return hash.digest('hex')
}

async function addFolder(hash: Hash, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) {
    const name = relative(folder, file)
    // A link is copied as it is, and may name a folder: packages do in the node_modules of pnpm.
    if ((await lstat(file)).isSymbolicLink()) hash.update(`${name}\0${await readlink(file)}\0`)
    else await addFile(hash, file, name)
  }
}

async function addFile(hash: Hash, file: string, name: string): Promise<void> {
  const bytes = await readFile(file)
  hash.update(`${name}\0${bytes.length}\0`).update(bytes)
}
