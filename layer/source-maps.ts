/** Takes the source maps out of the layer, where every cold start would fetch them, and into the npm package. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** The folders of `moveSourceMaps()`. */
export interface SourceMapFolders {
  /** That of the sources, to which the maps' paths are relative afterwards: they name no machine. */
  readonly repository: string
  readonly from: string
  readonly to: string
}

/** The part of a source map that changes. @see https://tc39.es/ecma426/ */
interface SourceMap {
  readonly sources: readonly string[]
}

/** Moves every `<file>.map`. */
export function moveSourceMaps({ repository, from, to }: SourceMapFolders): void {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from).filter((file) => file.endsWith('.map'))) {
    const path = join(from, name)
    const map: SourceMap = JSON.parse(readFileSync(path, 'utf8'))
    const sources = map.sources.map((source) => placeOf(source, dirname(path), repository))
    writeFileSync(join(to, name), JSON.stringify({ ...map, sources }))
    rmSync(path)
  }
}

/** Of a file, its path in the repository; a module that the build made has no file, and keeps its name. */
function placeOf(source: string, folder: string, repository: string): string {
  if (/^[\w-]+:/.test(source)) return source
  return relative(repository, resolve(folder, source)).replaceAll('\\', '/')
}
