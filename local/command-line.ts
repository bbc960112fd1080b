/** The arguments of `npm start`. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export const USAGE = `npm start [-- --json] [-- --serve]
npm start -- --function DIR [--handler NAME] [--event FILE] …
  --json              one JSON document on stdout; all else goes to stderr
  --serve             then invoke on request, over HTTP, until interrupted
  --function DIR      your function instead of the sample stack's: the folder
                      that you would upload
  --handler NAME      its file and export; index.handler by default
  --event FILE        the event, as JSON; {} by default
  --sql FILE          statements to run before: tables that the function needs
  --env FILE          the function's variables, NAME=value in each line
  --node VERSION      Node.js 22, 24 or 26; 24 by default`

/** Those that say how the reader's function is run. */
const OF_FUNCTION = {
  handler: { type: 'string' },
  event: { type: 'string' },
  sql: { type: 'string' },
  env: { type: 'string' },
  node: { type: 'string' },
} as const

const OPTIONS = {
  json: { type: 'boolean' },
  serve: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  function: { type: 'string' },
  ...OF_FUNCTION,
} as const

const NODE_VERSIONS = ['22', '24', '26'] as const
export type NodeVersion = (typeof NODE_VERSIONS)[number]

/** The reader's function. All paths are absolute. */
export interface FunctionArguments {
  readonly folder: string
  readonly handler: string
  readonly event: string | undefined
  readonly sql: string | undefined
  readonly envFile: string | undefined
  readonly node: NodeVersion
}

export interface Arguments {
  readonly json: boolean
  readonly serve: boolean
  readonly help: boolean
  readonly function: FunctionArguments | undefined
}

/**
 * @param from the folder that relative paths begin at
 * @throws Error saying which argument is wrong
 */
export function readArguments(args: readonly string[], from: string): Arguments {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const { json = false, serve = false, help = false, function: folder, handler = 'index.handler', node = '24' } = values
  const lonely = Object.keys(OF_FUNCTION).find((name) => folder === undefined && name in values)
  if (lonely !== undefined) throw new Error(`--${lonely} is for --function DIR`)
  const version = NODE_VERSIONS.find((known) => known === node)
  if (version === undefined) throw new Error(`--node: expected ${NODE_VERSIONS.join(', ')}, found ${node}`)
  const path = (name: string | undefined) => (name === undefined ? undefined : resolve(from, name))
  const files = { event: path(values.event), sql: path(values.sql), envFile: path(values.env) }
  return {
    ...{ json, serve, help },
    function: folder === undefined ? undefined : { folder: resolve(from, folder), handler, node: version, ...files },
  }
}
