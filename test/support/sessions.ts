/** The sessions that a product has at the server. */
import type { Product } from './product.ts'

export async function sessionCount({ cloud: { postgres, user } }: Product): Promise<number> {
  return (await postgres.sessions({ user })).length
}

/** Has the server end one, and waits until its last words are on the way to a client that is frozen. */
export async function endFrozenSession(product: Product): Promise<void> {
  const { standIn } = product.cloud
  await new Promise<void>((resolve) => {
    standIn.onServerMessage = (_connection, type) => {
      if (type === 'E') resolve()
      return 'forward'
    }
    void endSessions(product)
  })
  standIn.onServerMessage = undefined
}

/** Has the server end them, as an administrator would. */
export async function endSessions({ cloud: { postgres, user } }: Product): Promise<void> {
  await postgres.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [user])
}
