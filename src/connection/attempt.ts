/** One attempt to log in, which may begin before the secret is read. */
import { ConnectionError } from '../base/connection-error.ts'
import { type Destination, isSameDestination, type ResolvedConnection } from './source.ts'

/**
 * Opens one connection to `destination`; calls `resolve` when the server asks for the password, and fails when that
 * rejects or `signal` aborts. Rejects with `ERR_AUTHENTICATION` when the server refuses user or password.
 */
export type Dial<Client> = (
  destination: Destination,
  resolve: () => Promise<ResolvedConnection>,
  signal: AbortSignal,
) => Promise<Client>

/** A destination, and the connection to log in with: during an early attempt the secret is still being read. */
export interface Candidate {
  readonly destination: Destination
  readonly reading: Promise<ResolvedConnection>
}

export type Outcome<Client> =
  | { readonly kind: 'connected'; readonly client: Client; readonly connection: ResolvedConnection }
  | { readonly kind: 'refused'; readonly refusal: ConnectionError; readonly connection: ResolvedConnection }
  /** The secret names another server, database, user or root certificate: nothing of it was sent. */
  | { readonly kind: 'namesAnotherDestination' }

export function candidateOf(connection: ResolvedConnection): Candidate {
  return { destination: connection, reading: Promise.resolve(connection) }
}

/** @throws what `dial` rejects with, other than a refusal, and what `reading` rejects with; the connection is destroyed */
export async function attempt<Client>(
  dial: Dial<Client>,
  { destination, reading }: Candidate,
): Promise<Outcome<Client>> {
  const stop = new AbortController()
  // A password must reach only the server that the secret names beside it.
  const resolve = async (): Promise<ResolvedConnection> => {
    const connection = await reading
    if (isSameDestination(connection, destination)) return connection
    throw new Error('the secret names another destination')
  }
  const begun = dial(destination, resolve, stop.signal)
  begun.catch(() => undefined)
  let connection: ResolvedConnection | undefined
  try {
    connection = await reading
    if (isSameDestination(connection, destination)) return { kind: 'connected', client: await begun, connection }
    stop.abort()
    return { kind: 'namesAnotherDestination' }
  } catch (error) {
    stop.abort()
    const isRefusal = error instanceof ConnectionError && error.code === 'ERR_AUTHENTICATION'
    if (isRefusal && connection !== undefined) return { kind: 'refused', refusal: error, connection }
    throw error
  }
}
