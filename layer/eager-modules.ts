/** Has V8 compile the modules inside a bundle when it reads the file, instead of skipping each and reading it again when it runs. */
import remapping from '@jridgewell/remapping'
import { type ArrowFunctionExpression, type Expression, type Pattern, parse } from 'acorn'
import MagicString from 'magic-string'
import type { MappedCode } from './shortened.ts'

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

/** The map of an edited file to the sources, from the map of the file before. */
function editedMap(edited: MagicString, map: string): string {
  return remapping([edited.generateMap({ hires: 'boundary' }).toString(), map], () => null).toString()
}

/** The file with such modules, and the map to its sources. */
export function withEagerModules({ code, map }: MappedCode): MappedCode {
  const edited = edit(code)
  return { code: edited.toString(), map: map === undefined ? undefined : editedMap(edited, map) }
}
