/** One attempt to log in, which may begin before the secret is read. */
import { ConnectionError } from '../base/connection-error.ts'
import { type Destination, isSameDestination, type ResolvedConnection } from './source.ts'

/**
 * Opens one connection to `destination`; asks `resolve` for the password when the server does, and gives up when that
 * rejects or `signal` aborts. Rejects with `ERR_AUTHENTICATION` when the server refuses user or password.
 */
export type Dial<Client> = (
  destination: Destination,
  resolve: () => Promise<ResolvedConnection>,
  signal: AbortSignal,
) => Promise<Client>

/** Where to connect to, and what to log in with: for an early attempt the secret is still being read. */
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

/** @throws what `dial` rejects with, other than a refusal, and what `reading` rejects with; the connection is dropped */
export async function attempt<Client>(
  dial: Dial<Client>,
  { destination, reading }: Candidate,
): Promise<Outcome<Client>> {
  const dropped = new AbortController()
  // A password must not reach another server than the one that the secret names beside it.
  const resolve = async (): Promise<ResolvedConnection> => {
    const connection = await reading
    if (isSameDestination(connection, destination)) return connection
    throw new Error('the secret names another destination')
  }
  const begun = dial(destination, resolve, dropped.signal)
  begun.catch(() => undefined)
  let connection: ResolvedConnection | undefined
  try {
    connection = await reading
    if (isSameDestination(connection, destination)) return { kind: 'connected', client: await begun, connection }
    dropped.abort()
    return { kind: 'namesAnotherDestination' }
  } catch (error) {
    dropped.abort()
    const isRefusal = error instanceof ConnectionError && error.code === 'ERR_AUTHENTICATION'
    if (isRefusal && connection !== undefined) return { kind: 'refused', refusal: error, connection }
    throw error
  }
}
