/** Reads the files that the reader names beside the function. */
import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import pg from 'pg'
import type { FunctionArguments, NodeVersion } from '../command-line.ts'
import { nodePath } from '../node-versions.ts'
import { PostgresAdmin } from '../postgres/admin.ts'
import type { DatabaseAccess } from '../services.ts'
import { checkFunctionFolder } from './function-folder.ts'
import type { FunctionSource } from './own-function.ts'

export interface OwnFiles {
  readonly source: FunctionSource
  /** Parsed. */
  readonly event: unknown
  /** Statements for the database; undefined when there are none. */
  readonly sql: string | undefined
}

/** @throws Error saying which file is missing or not what it should be */
export async function readOwnFiles({
  folder,
  handler,
  event,
  sql,
  envFile,
  node,
}: FunctionArguments): Promise<OwnFiles> {
  await checkFunctionFolder(folder, handler)
  const variables = envFile === undefined ? {} : parseEnv(await readNamed('--env', envFile))
  const environment = Object.fromEntries(Object.entries(variables).map(([name, value = '']) => [name, value]))
  return {
    source: { folder, handler, environment, runtime: `nodejs${node}.x`, nodeBinary: nodeBinary(node) },
    event: event === undefined ? {} : parsed(event, await readNamed('--event', event)),
    sql: sql === undefined ? undefined : await readNamed('--sql', sql),
  }
}

/** The part of the services that is used. */
export interface SqlServices {
  readonly postgres: Pick<PostgresAdmin, 'superuserConfig'>
  readonly access: Omit<DatabaseAccess, 'cluster'>
}

/**
 * Runs statements as the function's user, to whom the tables belong then.
 * @throws Error with the server's message and the line
 */
export async function runSql(sql: string, { postgres, access }: SqlServices): Promise<void> {
  const { user, password, database } = access
  try {
    await new PostgresAdmin({ ...postgres.superuserConfig(), user, password, database }).query(sql)
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    const line = sql.slice(0, Number(error.position ?? 1) - 1).split('\n').length
    throw new Error(`--sql: ${error.message}${error.position === undefined ? '' : `, line ${line}`}`)
  }
}

function nodeBinary(node: NodeVersion): string {
  return node === '24' ? process.execPath : nodePath(node === '22' ? 22 : 26)
}

async function readNamed(option: string, path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`${option}: ${path} cannot be read`, { cause })
  })
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`--event: ${path} is not JSON`, { cause: new Error(cause instanceof Error ? cause.message : '') })
  }
}
