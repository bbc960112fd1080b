/** How long the texts take to be read that are the worst for our readers: long, and never quite what they seem. */
import { connectError } from '../../src/connection/connect-error.ts'
import { parseConnectionString } from '../../src/connection-string/parse.ts'
import { routeToCluster } from '../../src/routing/routing.ts'
import { parseSecret } from '../../src/secret/value/parse.ts'
import { type Spread, spread } from './statistics.ts'

const ORIGIN = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' } as const
const SERVER = {
  host: 'db.example.com',
  port: 26257,
  dbname: 'defaultdb',
  user: 'app',
  sslmode: 'verify-full',
} as const

/** Reads a text; refuses most. */
type Read = (text: string) => unknown

const secret: Read = (text) => parseSecret(text, { origin: ORIGIN })
const keyed: Read = (text) => parseSecret(text, { origin: ORIGIN, key: 'database' })
const keyOf: Read = (text) => parseSecret(`{"${'ab'.repeat(30_000)}":1}`, { origin: ORIGIN, key: text })
const string: Read = (text) => parseConnectionString(text, ORIGIN)
const options: Read = (text) => routeToCluster({ ...SERVER, cluster: 'cozy-otter-4821', options: text }, 'database')
const cluster: Read = (text) => routeToCluster({ ...SERVER, cluster: text }, 'database')
const refusal: Read = (text) => connectError(new Error(text), SERVER)

const URL = 'postgresql://u:p@h.example/d?'

/** Reader, beginning, what is repeated, end. */
export const LONG_TEXTS: readonly (readonly [title: string, read: Read, start: string, part: string, end: string])[] = [
  ['URL, @ in parameters', string, URL, '&a@', ''],
  ['URL, @ behind the ?', string, URL, '@', '='],
  ['URL, hosts', string, 'postgresql://', '@h/', ''],
  ['URL, brackets', string, 'postgresql://', '[a,', ''],
  ['URL, braces', string, 'postgresql://', '{a}', '!'],
  ['URL, parameters', string, URL, '&a=b', ''],
  ['URL, %', string, 'postgresql://u:', '%4', '@h'],
  ['keywords, blanks', string, 'host=h ', ' ', "'"],
  ['keywords, pairs', string, '', 'a=b ', ''],
  ['keywords, a quote', string, "password='", "\\'", ''],
  ['ADO.NET', string, 'a=;', 'password ', ''],
  ['assignments', string, '', 'A=', '"'],
  ['quotes', string, '"', '\'"`', ''],
  ['placeholder', string, '$', 'PASS', '!'],
  ['base64', secret, '', 'QUJD', '!'],
  ['JSON, brackets', secret, '', '[', ''],
  ['JSON, nested', secret, '', '{"a":', ''],
  ['JSON, escapes', secret, '"', '\\\\', '"'],
  ['JSON, keys', secret, '{"hos":1', ',"hots":1', '}'],
  ['Python', secret, '{', ': None ', ''],
  ['JSON, a key that is not there', keyed, '{"a":1', ',"b":2', '}'],
  ['name of a key', keyOf, '', 'ba', ''],
  ['options', options, '', '-c ', ''],
  ['options, clusters', options, '', '--cluster=a ', ''],
  ['tenant id', cluster, 'cozy-otter-', '9', ''],
  ['words of a server', refusal, '', 'codeParamsRoutingFailed: cluster ', ''],
  ['words of a server, blanks', refusal, '', ' ', '\n'],
]

export function longText([, , start, part, end]: (typeof LONG_TEXTS)[number], length: number): string {
  return start + part.repeat(Math.floor((length - start.length - end.length) / part.length)) + end
}

/** The processor time that reading takes, in milliseconds: what else runs on the machine does not count. */
export function readingMs(read: Read, text: string): number {
  const before = process.threadCpuUsage()
  try {
    read(text)
  } catch {
    // Most are refused, and what they throw is the answer.
  }
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

export interface LongTextFigures {
  readonly title: string
  readonly length: number
  readonly ms: Spread
}

const LENGTH = 64 * 1024
const ROUNDS = 15

/** The slowest of them first. */
export function longTextFigures(): readonly LongTextFigures[] {
  const figures = LONG_TEXTS.map((row) => {
    const text = longText(row, LENGTH)
    const ms = spread(Array.from({ length: ROUNDS }, () => readingMs(row[1], text)))
    return { title: row[0], length: text.length, ms }
  })
  return figures.toSorted((a, b) => b.ms.median - a.ms.median)
}
