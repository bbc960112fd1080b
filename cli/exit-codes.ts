/** The exit codes of the command: one for each class of failure, so that scripts can branch on them. */
import type { ConnectionErrorCode } from '../src/base/connection-error.ts'

export const OK = 0
/** A defect of the command itself, or a failure without a class. */
export const FAILED = 1
/** Unknown commands, options and operands, as shells have it. */
export const WRONG_USAGE = 2
/** As shells have it for a command that is not there: psql. */
export const NOT_FOUND = 127
/** 128 and the number of SIGINT, as shells count. */
export const INTERRUPTED = 130

/** Beside `FAILED`: what a code of the library ends with. */
const BY_CODE: Partial<Record<ConnectionErrorCode, number>> = {
  ERR_CONFIG: 3,
  ERR_SECRET_UNAVAILABLE: 4,
  ERR_SECRET_INVALID: 5,
  ERR_ROUTING: 6,
  ERR_TLS: 7,
  ERR_AUTHENTICATION: 8,
  ERR_CONNECT: 9,
  ERR_SERVER_REFUSED: 10,
}
/** What the server answers to a statement, and a connection that is lost under one. */
const STATEMENT_FAILED = 11
const OF_STATEMENT = /^(?:ERR_[A-Z_]+|[\dA-Z]{5})$/

/** @param code of a ConnectionError, or the SQLSTATE of a statement */
export function exitCodeOf(code: string): number {
  const known = new Map<string, number>(Object.entries(BY_CODE)).get(code)
  return known ?? (OF_STATEMENT.test(code) ? STATEMENT_FAILED : FAILED)
}
