import { afterAll, beforeAll, expect, test } from 'vitest'
import { Scratch } from '../support/lambda.ts'
import { startOnLayer } from '../support/layer-function.ts'
import { openProduct, type Product } from '../support/product.ts'

const RECORDS_EXPRESSIONS = `
const methods = ['exec', 'test', Symbol.match, Symbol.matchAll, Symbol.replace, Symbol.search, Symbol.split]
export const used = new Set()
for (const name of methods) {
  const method = RegExp.prototype[name]
  RegExp.prototype[name] = function (...given) {
    const [, , ...callers] = new Error().stack.split('\\n')
    const caller = callers.find((line) => !line.includes('<anonymous>') && !line.includes('expressions.mjs'))
    if (caller?.includes('/cockroach-lambda/index.cjs')) used.add(this.source)
    return Reflect.apply(method, this, given)
  }
}
`

const HANDLER = `
import { used } from './expressions.mjs'
import { withDatabase } from 'cockroach-lambda'
export const handler = withDatabase(async (_event, _context, db) => {
  await db.query('select 1')
  return [...used]
})
`

function urlOf({ host, port, username, password, dbname, sslrootcert }: Product['fields']): string {
  return `postgresql://${username}:${password}@${host}:${port}/${dbname}?sslmode=verify-full&sslrootcert=${encodeURIComponent(String(sslrootcert))}`
}

let product: Product
let scratch: Scratch

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
})

afterAll(async () => {
  await scratch?.[Symbol.asyncDispose]()
  await product?.[Symbol.asyncDispose]()
})

// Ours and pg's, and up to three more where a random name happens to be base64 of a text with one of their characters. V8
// takes a tenth of a millisecond and more to compile one, and does it again at the second use.
test.each([
  ['JSON', 24, JSON.stringify],
  ['a URL', 34, urlOf],
])('a cold start uses few regular expressions, the secret being %s: at most %i', async (form, most, write) => {
  const { secretsManager, fields } = product
  const secretId = `app/${form.replace('a ', '')}`
  secretsManager.secrets.create(secretId, write(fields))
  const code = await scratch.folder(form, { 'index.mjs': HANDLER, 'expressions.mjs': RECORDS_EXPRESSIONS })
  const environment = await startOnLayer({ ...product, secretId }, code)
  const { payload } = await environment.invoke({})
  expect(payload).toContain('^\\d+$')
  expect(payload).toSatisfy(({ length }: string[]) => length <= most)
})
