import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withEagerModules } from '../../layer/eager-modules.ts'

const MODULE = join(import.meta.dirname, '../../dist/layer/nodejs/node_modules/cockroach-lambda')

test.each([
  ['a CommonJS module', 'var a=w((t,e)=>{e.exports=1});', 'var a=w((function(t,e){e.exports=1}));'],
  ['a module without parameters', 'var b=1,a=S(()=>{b=2});', 'var b=1,a=S((function(){b=2}));'],
  ['a function that is no module', 'var a=(t)=>{t()};a(()=>{});', undefined],
  ['an expression for a body', 'var a=S(()=>b);', undefined],
  ['an asynchronous function', 'var a=S(async()=>{await b});', undefined],
  ['a call with more than a function', 'var a=S(()=>{b()},1);', undefined],
])('%s', (_, code, expected = code) => {
  expect(withEagerModules({ code, map: undefined }).code).toBe(expected)
})

test.each(['index.cjs', 'secrets-manager.cjs'])('the layer’s %s has no module that V8 skips', (file) => {
  const code = readFileSync(join(MODULE, file), 'utf8')
  expect(withEagerModules({ code, map: undefined }).code).toBe(code)
  expect(code).toContain('((function(')
})
