import { execFile } from 'node:child_process'
import dns, { lookup as importedLookup } from 'node:dns'
import { once } from 'node:events'
import { get } from 'node:http'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LoopbackHttpServer } from '../../../local/loopback/http-server.ts'
import { resolveToLoopback } from '../../../local/loopback/names.ts'

const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const LOOPBACK = { address: '127.0.0.1', family: 4 }
const original = dns.lookup
let resolveAsEver: () => void

beforeEach(() => {
  resolveAsEver = resolveToLoopback()
})
afterEach(() => resolveAsEver())

describe('a name below cockroachlabs.cloud resolves to loopback', () => {
  const rows: [string, () => Promise<unknown>, unknown][] = [
    ['by dns.promises.lookup', () => dns.promises.lookup(HOST), LOOPBACK],
    ['whatever its case', () => dns.promises.lookup(HOST.toUpperCase()), LOOPBACK],
    ['with all', () => dns.promises.lookup(HOST, { all: true }), [LOOPBACK]],
    ['with family 4', () => dns.promises.lookup(HOST, 4), LOOPBACK],
    ['by promisify(dns.lookup)', () => promisify(dns.lookup)(HOST), LOOPBACK],
    ['by an import of lookup', () => promisify(importedLookup)(HOST), LOOPBACK],
  ]
  test.each(rows)('%s', async (_, resolve, expected) => {
    expect(await resolve()).toEqual(expected)
  })

  test('by dns.lookup with a callback, in a later turn', async () => {
    const answers: unknown[] = []
    const answered = new Promise<void>((resolve) => {
      dns.lookup(HOST, (...answer) => {
        answers.push(answer)
        resolve()
      })
    })
    expect(answers).toEqual([])
    await answered
    expect(answers).toEqual([[null, '127.0.0.1', 4]])
  })

  test('but not for family 6', async () => {
    const error = { code: 'ENOTFOUND', hostname: HOST }
    await expect(dns.promises.lookup(HOST, { family: 6 })).rejects.toMatchObject(error)
  })

  test('for http', async () => {
    const server = await LoopbackHttpServer.start((request, response) => void response.end(request.headers.host))
    const { port } = server
    const [response] = await once(get({ host: HOST, port, agent: false }), 'response')
    expect(String((await once(response, 'data'))[0])).toBe(`${HOST}:${port}`)
    await server.stop()
  })

  test('until the patch is removed', () => {
    expect(dns.lookup).not.toBe(original)
    resolveAsEver()
    expect([dns.lookup, importedLookup]).toEqual([original, original])
  })
})

test('the preload patches a program before its first line', async () => {
  const preload = new URL('../../../local/loopback/names-preload.ts', import.meta.url).href
  const program = `console.log((await (await import('node:dns/promises')).lookup('${HOST}')).address)`
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--import', preload, '--input-type=module', '-e', program])
  expect(stdout).toBe('127.0.0.1\n')
})

test('other names resolve as before', async () => {
  expect(await dns.promises.lookup('127.0.0.2')).toEqual({ address: '127.0.0.2', family: 4 })
  expect(await promisify(dns.lookup)('localhost', { family: 4 })).toEqual(LOOPBACK)
  await expect(dns.promises.lookup('cockroachlabs.cloud.invalid')).rejects.toThrow()
})
