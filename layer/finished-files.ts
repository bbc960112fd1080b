/** What becomes of a file that esbuild made, before it is written: shorter code, and modules that V8 compiles at once. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Plugin } from 'esbuild'
import { withEagerModules } from './eager-modules.ts'
import { shortened } from './shortened.ts'

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/**
 * For every file that a build writes, and its source map. Fails when a file with code of a package has no module that
 * runs late, so that another form of them is noticed.
 */
export const finishedFiles: Plugin = {
  name: 'finished-files',
  setup({ initialOptions, onEnd }) {
    initialOptions.write = false
    initialOptions.metafile = true
    onEnd(async ({ outputFiles = [], metafile }) => {
      const textOf = new Map(outputFiles.map(({ path, text }) => [path, text]))
      const unchanged: string[] = []
      for (const [path, code] of textOf) {
        if (path.endsWith('.map')) continue
        const shorter = await shortened({ code, map: textOf.get(`${path}.map`) })
        const finished = withEagerModules(shorter)
        if (finished.code === shorter.code) unchanged.push(path)
        write(path, finished.code)
        if (finished.map !== undefined) write(`${path}.map`, finished.map)
      }
      const withPackages = Object.entries(metafile?.outputs ?? {}).flatMap(([path, { inputs }]) =>
        Object.keys(inputs).some((input) => input.includes('node_modules/'))
          ? [resolve(initialOptions.absWorkingDir ?? '', path)]
          : [],
      )
      const failed = unchanged.filter((path) => withPackages.includes(path))
      return { errors: failed.map((path) => ({ text: `${path} has no module that runs late` })) }
    })
  },
}
