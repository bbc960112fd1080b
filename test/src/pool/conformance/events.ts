/** The pool's events. */
import { once } from 'node:events'
import { type Behaviour, eventsOf, pidOf } from './behaviour.ts'

export const EVENTS: readonly Behaviour[] = [
  {
    behaviour: 'emits connect once for a client, acquire and release at each use, and remove at its end',
    observe: async ({ open }) => {
      const pool = open()
      const events = eventsOf(pool)
      await pool.query('select 1')
      await pool.query('select 1')
      const removed = once(pool, 'remove')
      await pool.end()
      await removed
      return events
    },
    genuine: ['connect', 'acquire', 'release', 'acquire', 'release', 'remove'],
  },
  {
    behaviour: 'emits connect before the caller has the client',
    observe: async ({ open }) => {
      const pool = open()
      const order: string[] = []
      pool.on('connect', () => order.push('event'))
      const client = await pool.connect()
      order.push('caller')
      client.release()
      return order
    },
    genuine: ['event', 'caller'],
  },
  {
    behaviour: 'emits no event for a connection that the server refuses',
    observe: async ({ openRefused }) => {
      const pool = openRefused()
      const events = eventsOf(pool)
      await pool.connect().catch(() => undefined)
      return events
    },
    genuine: [],
  },
  ...([undefined, true, new Error('broken')] as const).map(
    (destroy): Behaviour => ({
      behaviour: `emits release with ${destroy} and the client, after release(${destroy ?? ''})`,
      observe: async ({ open }) => {
        const pool = open()
        const told: unknown[] = []
        pool.on('release', (error, client) => told.push(error, client))
        const client = await pool.connect()
        client.release(destroy)
        return [told[0], told[1] === client, told.length]
      },
      genuine: [destroy, true, 2],
    }),
  ),
  {
    behaviour: 'emits error, with the client twice, and remove, when an idle connection is lost',
    observe: async ({ open, endSession }) => {
      const pool = open()
      const pid = await pidOf(pool)
      const events = eventsOf(pool)
      const lost = once(pool, 'error')
      const removed = new Promise((resolve) => pool.once('remove', resolve))
      await endSession(pid)
      const [error, client] = await lost
      await removed
      return [events, error.code, error.client === client, pool.totalCount]
    },
    genuine: [['error', 'remove'], '57P01', true, 0],
  },
  {
    behaviour: 'lets the process end when an idle connection is lost and nobody listens',
    observe: async ({ open }) => open().listenerCount('error') === 0,
    genuine: true,
    ours: {
      answer: false,
      reason: 'a freeze loses idle connections as a matter of course, and the pool replaces them',
    },
  },
]
