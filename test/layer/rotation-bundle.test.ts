import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROTATION = join(import.meta.dirname, '../../dist/rotation')

test('the rotation function needs nothing but Node and the layer', () => {
  const required = readFileSync(join(ROTATION, 'index.cjs'), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)
  const others = [...required].map(([, name = '']) => name).filter((name) => !isBuiltin(name))
  expect(new Set(others)).toEqual(new Set(['cockroach-lambda']))
})

test('the licences of the packages in it are beside it, and pg is not among them', () => {
  const licences = readFileSync(join(ROTATION, 'LICENSES'), 'utf8')
  expect(licences).toMatch(/^@aws-sdk\/client-secrets-manager /m)
  expect(licences).not.toMatch(/^pg \d/m)
})
