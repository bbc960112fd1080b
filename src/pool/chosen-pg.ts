/** Chooses the copy of pg that the pool is built on, so that a function has one: its own where it has one. */
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { ConnectionError } from '../base/connection-error.ts'
import { bundledPg } from './bundled-pg.ts'
import type { Pg, ProtocolConnection } from './pg.ts'

/** The oldest version that the tests run with, and the major versions that are known. */
const SUPPORTED = 'pg 8.11 and later 8.x'

/** What is used of pg beside its documented methods: in its code, not in its types. */
const USED_OF_CLASSES = {
  Client: ['connect', 'end', 'query'],
  Connection: ['attachListeners', 'cancel', 'connect', 'end', 'requestSsl'],
  Pool: ['connect', 'end', 'query'],
}
const USED_OF_CLIENTS = ['_ending', '_queryable', 'connection', 'connectionParameters', 'processID', 'secretKey', 'ssl']

const checked = new WeakSet<object>()

/** pg's client asks nothing else of a connection that it is made for. */
const NO_CONNECTION = { on: () => undefined, once: () => undefined }

/** What a copy of pg lacks; nothing for one that can be used. */
function missingIn(pg: Pg): readonly string[] {
  const methods = Object.entries(USED_OF_CLASSES).flatMap(([name, used]) =>
    used
      .filter((method) => typeof Reflect.get(Object(Reflect.get(pg, name)), 'prototype')?.[method] !== 'function')
      .map((method) => `${name}.${method}()`),
  )
  if (methods.length > 0) return methods
  const client = new pg.Client({ connection: NO_CONNECTION as unknown as ProtocolConnection } as object)
  const fields = USED_OF_CLIENTS.filter((name) => !(name in client))
  // Until 8.16 the statement under way is the field `activeQuery`, which the first statement makes.
  const isActive = '_getActiveQuery' in client || 'queryQueue' in client
  return [...fields, ...(isActive ? [] : ['_getActiveQuery()'])].map((name) => `Client.${name}`)
}

/** True for the copy that comes with this package, false for every other. */
export function isBundled(pg: Pg): boolean {
  return !checked.has(pg)
}

function unusable(which: string, what: string, cause?: unknown): ConnectionError {
  return new ConnectionError('ERR_CONFIG', `${which} ${what}`, {
    hint: `Install ${SUPPORTED} for the function.`,
    ...(cause !== undefined && { cause }),
  })
}

/** @param which names the copy in messages */
function checkedPg(pg: unknown, which: string): Pg {
  // Of an ES module that imports everything, the default export.
  const module = Object(pg)
  const copy: Pg = module.Client === undefined ? Object(module.default) : module
  if (!checked.has(copy)) {
    const missing = missingIn(copy)
    if (missing.length > 0) throw unusable(which, `cannot be used: it lacks ${missing.join(', ')}`)
    checked.add(copy)
  }
  return copy
}

/**
 * True for a file of a package: Lambda's NODE_PATH has the function's folder, in which `pg.js` and `pg/` are modules of its
 * own.
 */
function isOfPackage(require: NodeJS.Require, path: string): boolean {
  if (path.split(sep).includes('node_modules')) return true
  try {
    const folder = dirname(require.resolve('pg/package.json'))
    return path.startsWith(folder + sep) && require('pg/package.json').name === 'pg'
  } catch {
    return false
  }
}

/** The content of the package that `require('pg')` finds from the function's module; undefined where there is none. */
function functionsPg(functionModule: string): Pg | undefined {
  const require = createRequire(functionModule)
  let path: string
  try {
    path = require.resolve('pg')
  } catch {
    return undefined
  }
  if (!isOfPackage(require, path)) return undefined
  let pg: unknown
  try {
    pg = require(path)
  } catch (error) {
    throw unusable(`the function's pg (${path})`, 'could not be loaded', error)
  }
  return checkedPg(pg, `the function's pg (${versionOf(require, path)})`)
}

function versionOf(require: NodeJS.Require, path: string): string {
  try {
    return `${require('pg/package.json').version}, ${path}`
  } catch {
    return path
  }
}

/**
 * The function's copy of pg, or the one that comes with this package.
 *
 * @param handedOver the option `pg`
 * @param functionModule path of the function's module, if this is Lambda
 * @throws ConnectionError `ERR_CONFIG` for a copy that is too old, unknown or broken
 */
export function choosePg(handedOver: unknown, functionModule: string | undefined): Pg {
  if (handedOver !== undefined) return checkedPg(handedOver, 'option pg')
  return (functionModule === undefined ? undefined : functionsPg(functionModule)) ?? bundledPg
}
