/** The errors for a caller who gets no client because others have them all. */
import { ConnectionError } from '../base/connection-error.ts'
import { currentInvocation, deadlineError, isAtDeadline } from '../lambda/deadline.ts'

/** What of a lease these errors depend on. */
interface Lent {
  readonly callSite: Error | undefined
  readonly client: { readonly isBusy: boolean }
}

/** The first line of the stack behind the message. */
function describeCallSite(callSite: Error | undefined): string {
  const line = callSite?.stack?.split('\n').find((text) => /^\s+at /.test(text))
  return line?.trim().replace(/^at /, '') ?? 'an unknown place'
}

/** `ERR_CLIENT_NOT_RELEASED` for the first caller after an invocation that kept its client, which is taken from it. */
export function neverReleased({ callSite }: Lent): ConnectionError {
  return new ConnectionError(
    'ERR_CLIENT_NOT_RELEASED',
    `an earlier invocation took a client and never released it; it was taken at ${describeCallSite(callSite)}`,
    {
      hint: 'Call release() in a finally block, or take it with `await using`. It was closed; the next call gets a new one.',
      safeToRetry: true,
    },
  )
}

/** `ERR_TRANSACTION` for a call inside a transaction, when transactions that wait like it have all clients. */
export function heldAround(callSite: Error | undefined, max: number): ConnectionError {
  const call = callSite?.message ?? 'query()'
  return new ConnectionError(
    'ERR_TRANSACTION',
    `${call} was called inside transaction(), which has the client that it would wait for (max: ${max})`,
    { hint: 'Use the client of the transaction, or raise max.' },
  )
}

const IN_USE = [
  'in use',
  'Release clients with release(), run statements on the client you have, or raise max.',
] as const
const BUSY = ['busy with statements', 'Make them faster, or raise max.'] as const

/** How long a caller waited, and whether those with the clients made progress until now. */
interface Wait {
  readonly waitedMs: number
  readonly isMoving: boolean
}

/**
 * For a caller who waited while others had the clients `lent`: `ERR_CONNECT` when there are none of these because
 * connections are still being opened, `ERR_DEADLINE` when all were busy until the caller's deadline,
 * `ERR_CLIENT_NOT_RELEASED` otherwise.
 */
export function waitedInVain(lent: readonly Lent[], max: number, { waitedMs, isMoving }: Wait): ConnectionError {
  const unused = lent.find(({ client }) => !client.isBusy)
  const taken = unused ?? lent[0]
  const waited = `waited ${Math.round(waitedMs)} ms`
  if (taken === undefined) {
    return new ConnectionError('ERR_CONNECT', `${waited} for a connection that is still being opened`, {
      hint: 'Can the function reach Secrets Manager and the server?',
      safeToRetry: true,
    })
  }
  const isBusy = isMoving || unused === undefined
  if (isBusy && isAtDeadline(currentInvocation()))
    return deadlineError(`${waited} for a connection; statements are under way on all ${max}`, true)
  const since = taken.callSite === undefined ? '' : `, one since ${describeCallSite(taken.callSite)}`
  const [state, hint] = isBusy ? BUSY : IN_USE
  const message = `${waited} for a client; all ${max} are ${state}${since}`
  return new ConnectionError('ERR_CLIENT_NOT_RELEASED', message, { hint, safeToRetry: true })
}
