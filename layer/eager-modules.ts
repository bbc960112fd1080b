/** Has V8 compile the modules inside a bundle when it reads the file, instead of skipping each and reading it again when it runs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import remapping from '@jridgewell/remapping'
import { type ArrowFunctionExpression, type Expression, type Pattern, parse } from 'acorn'
import type { Plugin } from 'esbuild'
import MagicString from 'magic-string'

/** esbuild puts a module that runs late into a function: `name = wrap((exports, module) => { … })`. */
function wrappedModule(declared: Expression | null | undefined): ArrowFunctionExpression | undefined {
  if (declared?.type !== 'CallExpression' || declared.callee.type !== 'Identifier') return undefined
  const [module, ...others] = declared.arguments
  if (module?.type !== 'ArrowFunctionExpression' || module.body.type !== 'BlockStatement') return undefined
  return others.length === 0 && !module.async ? module : undefined
}

/** A function expression in parentheses is one that V8 expects to be called at once; an arrow function is not. */
function edit(code: string): MagicString {
  const { body } = parse(code, { ecmaVersion: 'latest', sourceType: 'script' })
  const edited = new MagicString(code)
  const text = ({ start, end }: Pattern): string => code.slice(start, end)
  for (const statement of body) {
    if (statement.type !== 'VariableDeclaration') continue
    for (const { init } of statement.declarations) {
      const module = wrappedModule(init)
      if (module === undefined) continue
      edited.overwrite(module.start, module.body.start, `(function(${module.params.map(text).join(',')})`)
      edited.appendRight(module.end, ')')
    }
  }
  return edited
}

export function withEagerModules(code: string): string {
  return edit(code).toString()
}

/** The map of an edited file to the sources, from esbuild's map of the file before. */
function editedMap(edited: MagicString, map: string): string {
  return remapping([edited.generateMap({ hires: 'boundary' }).toString(), map], () => null).toString()
}

/**
 * Applies it to every file that a build writes, and to its source map. Fails when a file with code of a package has no
 * such module, so that another form of them is noticed.
 */
export const eagerModules: Plugin = {
  name: 'eager-modules',
  setup({ initialOptions, onEnd }) {
    initialOptions.write = false
    initialOptions.metafile = true
    onEnd(({ outputFiles = [], metafile }) => {
      const textOf = new Map(outputFiles.map(({ path, text }) => [path, text]))
      const unchanged: string[] = []
      const write = (path: string, text: string): void => {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, text)
      }
      for (const [path, text] of textOf) {
        if (path.endsWith('.map')) continue
        const edited = edit(text)
        if (!edited.hasChanged()) unchanged.push(path)
        write(path, edited.toString())
        const map = textOf.get(`${path}.map`)
        if (map !== undefined) write(`${path}.map`, editedMap(edited, map))
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
