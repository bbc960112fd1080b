/** Statements that are objects of their own, which pg takes as they are: cursors, query streams, COPY, prebuilt queries. */
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
