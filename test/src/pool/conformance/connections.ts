/** How clients are asked for, given out and given back. */
import { EventEmitter } from 'node:events'
import { Client, Pool } from 'pg'
import { type Behaviour, countsOf, innermost, pidOf, shown, thrownBy } from './behaviour.ts'

export const CONNECTIONS: readonly Behaviour[] = [
  {
    behaviour: 'is a Pool and an EventEmitter, and its clients are Clients',
    observe: async ({ open }) => {
      const pool = open()
      const client = await pool.connect()
      client.release()
      return [pool instanceof Pool, pool instanceof EventEmitter, client instanceof Client]
    },
    genuine: [true, true, true],
  },
  {
    behaviour: 'opens nothing until it is asked, and counts what is lent, idle and waited for',
    observe: async ({ open }) => {
      const pool = open()
      const before = countsOf(pool)
      const client = await pool.connect()
      const waiting = pool.connect()
      const during = countsOf(pool)
      client.release()
      ;(await waiting).release()
      return [before, during, countsOf(pool)]
    },
    genuine: [
      [0, 0, 0],
      [1, 0, 1],
      [1, 1, 0],
    ],
  },
  {
    behaviour: 'calls back from connect() with no error, the client and its `done`, in a later turn',
    observe: async ({ open }) => {
      const pool = open()
      let isLater = false
      const answer = await new Promise((resolve) => {
        const returned: unknown = pool.connect((error, client, done) => {
          resolve([error, client instanceof Client, typeof done, isLater, returned])
          done()
        })
        isLater = true
      })
      return [answer, countsOf(pool)]
    },
    genuine: [
      [undefined, true, 'function', true, undefined],
      [1, 1, 0],
    ],
  },
  {
    behaviour: 'tells the callback of connect() that the password is refused, with a `done` that does nothing',
    observe: async ({ openRefused }) => {
      const pool = openRefused()
      return new Promise((resolve) => {
        pool.connect((error, client, done) => {
          done()
          resolve([shown(error), client, countsOf(pool)])
        })
      })
    },
    genuine: ['28P01', undefined, [0, 0, 0]],
    ours: {
      answer: ['ERR_AUTHENTICATION', undefined, [0, 0, 0]],
      reason: 'an error of connecting names its kind and what to do; the server’s own is its cause',
    },
  },
  {
    behaviour: 'has the server’s own error at hand when the password is refused',
    observe: async ({ openRefused }) => {
      const error: unknown = await openRefused()
        .connect()
        .catch((cause: unknown) => cause)
      return shown(innermost(error))
    },
    genuine: '28P01',
  },
  {
    behaviour: 'serves those who wait in the order of asking',
    observe: async ({ open }) => {
      const pool = open()
      const order: number[] = []
      const turns = [1, 2, 3].map(async (n) => {
        const client = await pool.connect()
        order.push(n)
        client.release()
      })
      await Promise.all(turns)
      return order
    },
    genuine: [1, 2, 3],
  },
  {
    behaviour: 'opens no more connections than max',
    observe: async ({ open }) => {
      const pool = open({ max: 2 })
      const pids = await Promise.all([1, 2, 3, 4, 5].map(() => pidOf(pool)))
      return [new Set(pids).size, countsOf(pool)]
    },
    genuine: [2, [2, 2, 0]],
  },
  {
    behaviour: 'lends the client that came back last',
    observe: async ({ open }) => {
      const pool = open({ max: 2 })
      const [first, second] = [await pool.connect(), await pool.connect()]
      second.release()
      first.release()
      const next = await pool.connect()
      next.release()
      return next === first
    },
    genuine: true,
  },
  {
    behaviour: 'throws at the second release() of a client',
    observe: async ({ open }) => {
      const client = await open().connect()
      client.release()
      return thrownBy(() => client.release()) instanceof Error
    },
    genuine: true,
  },
  ...([true, new Error('broken')] as const).map(
    (destroy): Behaviour => ({
      behaviour: `closes a client that is released with ${destroy}`,
      observe: async ({ open }) => {
        const pool = open()
        const client = await pool.connect()
        const pid = await pidOf(client)
        client.release(destroy)
        return [countsOf(pool), (await pidOf(pool)) === pid]
      },
      genuine: [[0, 0, 0], false],
    }),
  ),
  {
    behaviour: 'keeps no client whose user has ended it',
    observe: async ({ open }) => {
      const pool = open()
      const client = await pool.connect()
      // pg's types have no end() for a client of a pool.
      await (client as unknown as Client).end()
      client.release()
      return countsOf(pool)
    },
    genuine: [0, 0, 0],
  },
  {
    behaviour: 'keeps no client whose session the server has ended',
    observe: async ({ open, endSession }) => {
      const pool = open()
      const client = await pool.connect()
      client.on('error', () => undefined)
      const ended = new Promise((resolve) => client.once('end', resolve))
      await endSession(await pidOf(client))
      await ended
      client.release()
      return countsOf(pool)
    },
    genuine: [0, 0, 0],
  },
  {
    behaviour: 'leaves a session as its user left it',
    observe: async ({ open }) => {
      const pool = open()
      await pool.query("set application_name = 'left behind'")
      return (await pool.query('show application_name')).rows
    },
    genuine: [{ application_name: 'left behind' }],
  },
  {
    behaviour: 'lends a client on that was released within a transaction',
    observe: async ({ open }) => {
      const pool = open()
      const client = await pool.connect()
      const pid = await pidOf(client)
      await client.query('begin')
      client.release()
      return (await pidOf(pool)) === pid
    },
    genuine: true,
    ours: {
      answer: false,
      reason: 'the next statement would become part of a transaction that nobody commits, and be lost',
    },
  },
]
