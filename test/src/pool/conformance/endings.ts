/** `pool.end()`. */
import { type Behaviour, isSettledBy, shown, told } from './behaviour.ts'

export const ENDINGS: readonly Behaviour[] = [
  {
    behaviour: 'ends without having been used',
    observe: async ({ open }) => {
      const pool = open()
      const before = [pool.ending, pool.ended]
      const end = pool.end()
      const during = pool.ending
      await end
      return [before, during, pool.ended]
    },
    genuine: [[false, false], true, true],
  },
  {
    behaviour: 'closes its idle connections at the end',
    observe: async ({ open }) => {
      const pool = open()
      await pool.query('select 1')
      await pool.end()
      return [pool.totalCount, pool.idleCount]
    },
    genuine: [0, 0],
  },
  {
    behaviour: 'calls back at the end',
    observe: async ({ open }) => {
      const pool = open()
      await new Promise<void>((resolve) => {
        pool.end(resolve)
      })
      return pool.ended
    },
    genuine: true,
  },
  {
    behaviour: 'waits at the end for a client that is lent, which goes on',
    observe: async ({ open }) => {
      const pool = open()
      const client = await pool.connect()
      const end = pool.end()
      const statement = client.query('select 1 as one')
      const isEarly = await isSettledBy(end, statement)
      client.release()
      await end
      return [isEarly, await told(statement)]
    },
    genuine: [false, [{ one: 1 }]],
  },
  {
    behaviour: 'finishes at the end the statements that have a connection',
    observe: async ({ open }) => {
      const pool = open()
      await pool.query('select 1')
      const statement = told(pool.query('select 1 as one, pg_sleep(0.05)'))
      while (pool.idleCount > 0) await new Promise((resolve) => setImmediate(resolve))
      await pool.end()
      return statement
    },
    genuine: [{ one: 1, pg_sleep: '' }],
  },
  {
    behaviour: 'finishes at the end a statement whose connection is not yet open',
    observe: async ({ open }) => {
      const pool = open()
      const statement = told(pool.query('select 1 as one'))
      await pool.end()
      return statement
    },
    genuine: [{ one: 1 }],
    ours: { answer: 'ERR_CLOSED', reason: 'to open it may take seconds, and nobody would use it afterwards' },
  },
  {
    behaviour: 'answers those who wait for a client when it ends',
    observe: async ({ open }) => {
      const pool = open()
      const client = await pool.connect()
      const waiting = pool.connect().then(() => undefined, shown)
      const end = pool.end()
      client.release()
      return (await isSettledBy(waiting, end)) && waiting
    },
    genuine: false,
    ours: { answer: 'ERR_CLOSED', reason: 'a caller who is never told waits until the function’s timeout' },
  },
  {
    behaviour: 'rejects a second end()',
    observe: async ({ open }) => {
      const pool = open()
      await pool.end()
      return pool.end().then(() => undefined, shown)
    },
    genuine: 'Called end on pool more than once',
  },
  {
    behaviour: 'rejects connect() and query() after the end',
    observe: async ({ open }) => {
      const pool = open()
      await pool.end()
      return [await pool.connect().then(() => undefined, shown), await told(pool.query('select 1'))]
    },
    genuine: ['Cannot use a pool after calling end on the pool', 'Cannot use a pool after calling end on the pool'],
    ours: {
      answer: ['ERR_CLOSED', 'ERR_CLOSED'],
      reason: 'the error has a code, and says that a new pool is there for the asking',
    },
  },
]
