/** The options of a pool that change what can be seen of it. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolConfig } from 'pg'
import { REFUSED_OPTIONS } from '../../../../src/settings/pool-options.ts'
import { type Behaviour, pidOf, shown, thrownBy, told } from './behaviour.ts'

/** Documented ones that ours refuses, with a value that a genuine pool takes. */
const REFUSED: { readonly [name: string]: unknown } = {
  min: 1,
  allowExitOnIdle: true,
  log: () => undefined,
  verify: (_client: unknown, done: () => void) => done(),
  connectionTimeoutMillis: 5000,
  Promise,
  pipeline: true,
  scramMaxIterations: 100_000,
}

export const OPTIONS: readonly Behaviour[] = [
  ...Object.entries(REFUSED).map(
    ([name, value]): Behaviour => ({
      behaviour: `takes ${name}`,
      observe: async ({ open }) => shown(thrownBy(() => open({ [name]: value }))),
      genuine: undefined,
      ours: { answer: 'ERR_CONFIG', reason: REFUSED_OPTIONS[name] ?? '' },
    }),
  ),
  {
    behaviour: 'replaces a connection after maxUses',
    observe: async ({ open }) => {
      const pool = open({ maxUses: 2 })
      const pids = [await pidOf(pool), await pidOf(pool), await pidOf(pool)]
      return [pids[1] === pids[0], pids[2] === pids[1]]
    },
    genuine: [true, false],
  },
  {
    behaviour: 'closes an idle connection by a timer',
    observe: async ({ open }) => {
      const pool = open({ idleTimeoutMillis: 10 })
      const removed = once(pool, 'remove')
      await pidOf(pool)
      return Promise.race([removed.then(() => true), sleep(1000, false)])
    },
    genuine: true,
    ours: {
      answer: false,
      reason: 'while a function is frozen no timer runs, and after it all are overdue: age is looked at before use',
    },
  },
  {
    behaviour: 'replaces a connection that was idle for longer than idleTimeoutMillis',
    observe: async ({ open }) => {
      const pool = open({ idleTimeoutMillis: 10 })
      const pid = await pidOf(pool)
      await sleep(50)
      return (await pidOf(pool)) === pid
    },
    genuine: false,
  },
  {
    behaviour: 'replaces a connection that is older than maxLifetimeSeconds',
    observe: async ({ open }) => {
      const pool = open({ maxLifetimeSeconds: 1 })
      const pid = await pidOf(pool)
      await sleep(1200)
      return (await pidOf(pool)) === pid
    },
    genuine: false,
  },
  {
    behaviour: 'has onConnect prepare each new client once, and waits for it',
    observe: async ({ open }) => {
      let calls = 0
      const onConnect: PoolConfig['onConnect'] = async (client) => {
        calls += 1
        await client.query("set application_name = 'prepared'")
      }
      const pool = open({ onConnect })
      await pool.query('select 1')
      return [await told(pool.query('show application_name')), calls]
    },
    genuine: [[{ application_name: 'prepared' }], 1],
  },
  {
    behaviour: 'rejects with what onConnect throws, and goes on',
    observe: async ({ open }) => {
      let isWrong = true
      const pool = open({
        onConnect: () => {
          if (isWrong) throw new Error('made by onConnect')
        },
      })
      const answer = await told(pool.query('select 1 as one'))
      const count = pool.totalCount
      isWrong = false
      return [answer, count, await told(pool.query('select 1 as one'))]
    },
    genuine: ['made by onConnect', 0, [{ one: 1 }]],
  },
  {
    behaviour: 'ends the wait for a statement after query_timeout',
    observe: ({ open }) => told(open({ query_timeout: 200 }).query('select pg_sleep(30)')),
    genuine: 'Query read timeout',
  },
  {
    behaviour: 'has the server end a statement after statement_timeout',
    observe: ({ open }) => told(open({ statement_timeout: 200 }).query('select pg_sleep(30)')),
    genuine: '57014',
  },
]
