/** Statements that are objects of their own, which pg takes as they are: cursors, query streams, COPY, prebuilt queries. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ProtocolConnection } from './pg.ts'

export type Callback = (error: unknown, result?: unknown) => void

/** The part of one that is used here. */
export interface Submittable {
  callback?: Callback | undefined
  handleError(error: Error, connection: ProtocolConnection): void
}

export function isSubmittable(config: object | string): config is Submittable {
  return typeof config === 'object' && 'submit' in config
}

/** True for a prebuilt query of pg's whose result is told to nobody; cursors, streams and COPY have readers of their own. */
export function isPrebuilt(statement: Submittable): boolean {
  return Object.hasOwn(statement, 'callback') && statement.callback === undefined
}

/** What pg calls when a message of the server is for this statement: `handleDataRow`, and others. */
const HANDLER = /^handle[A-Z]/

function* handlerNames(statement: object): Generator<string> {
  for (let at = statement; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const name of Object.getOwnPropertyNames(at)) if (HANDLER.test(name)) yield name
}

/**
 * Has a statement's events come in the invocation that sent it: a socket's come in the one that opened the connection,
 * whose deadline is over.
 */
export function bindToCaller(statement: Submittable): void {
  const run = AsyncLocalStorage.snapshot()
  const bound = statement as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of new Set(handlerNames(statement))) {
    const handle = bound[name]
    if (handle !== undefined) bound[name] = (...args) => run(() => Reflect.apply(handle, statement, args))
  }
}

/** Has a statement that is not sent fail, in a turn of its own, as pg does. */
export function failUnsent(
  statement: Submittable,
  callback: Callback | undefined,
  error: Error,
  connection: ProtocolConnection,
): Submittable {
  statement.callback ??= callback
  process.nextTick(() => statement.handleError(error, connection))
  return statement
}
