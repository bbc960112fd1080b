/** Has V8 compile the modules inside a bundle when it reads the file, instead of skipping each and reading it again when it runs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
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
export function withEagerModules(code: string): string {
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
  return edited.toString()
}

/** Applies it to every file that a build writes. Fails when one has no such module, so that another form of them is noticed. */
export const eagerModules: Plugin = {
  name: 'eager-modules',
  setup({ initialOptions, onEnd }) {
    initialOptions.write = false
    onEnd(({ outputFiles = [] }) => {
      const unchanged: string[] = []
      for (const { path, text } of outputFiles) {
        const code = withEagerModules(text)
        if (code === text) unchanged.push(path)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, code)
      }
      return { errors: unchanged.map((path) => ({ text: `${path} has no module that runs late` })) }
    })
  },
}
