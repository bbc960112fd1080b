/** A client that is lent: pg's own, in what it does with statements. */
import type { PoolClient } from 'pg'
import { type Behaviour, told } from './behaviour.ts'

/** Runs `use` with a client of a pool of one, and releases that. */
function withClient(use: (client: PoolClient) => Promise<unknown>): Behaviour['observe'] {
  return async ({ open }) => {
    const client = await open().connect()
    try {
      return await use(client)
    } finally {
      client.release()
    }
  }
}

export const CLIENTS: readonly Behaviour[] = [
  {
    behaviour: 'has a client run statements in the order in which they were sent',
    observe: withClient(async (client) => {
      const order: number[] = []
      const send = async (n: number, text: string): Promise<void> => {
        await client.query(text)
        order.push(n)
      }
      await Promise.all([send(1, 'select pg_sleep(0.05)'), send(2, 'select 2'), send(3, 'select 3')])
      return order
    }),
    genuine: [1, 2, 3],
  },
  {
    behaviour: 'has a client run a transaction to its end, and take it back',
    observe: withClient(async (client) => {
      await client.query('create temp table kept (n int)')
      await client.query('begin')
      await client.query('insert into kept values (1)')
      await client.query('commit')
      await client.query('begin')
      await client.query('insert into kept values (2)')
      await client.query('rollback')
      return told(client.query('select n from kept'))
    }),
    genuine: [{ n: 1 }],
  },
  {
    behaviour: 'has a client go on after a refused statement',
    observe: withClient(async (client) => [
      await told(client.query('selec')),
      await told(client.query('select 1 as one')),
    ]),
    genuine: ['42601', [{ one: 1 }]],
  },
  {
    behaviour: 'runs what nobody awaited before release()',
    observe: async ({ open }) => {
      const pool = open()
      await pool.query('create temp table unawaited (n int)')
      const client = await pool.connect()
      const statements = [1, 2, 3].map((n) => client.query('insert into unawaited values ($1)', [n]))
      client.release()
      await Promise.all(statements)
      return told(pool.query('select count(*)::int as n from unawaited'))
    },
    genuine: [{ n: 3 }],
  },
  {
    behaviour: 'has a client emit notifications and notices',
    observe: withClient(async (client) => {
      const notified = new Promise((resolve) => client.once('notification', ({ payload }) => resolve(payload)))
      const noticed = new Promise((resolve) => client.once('notice', ({ message }) => resolve(message)))
      await client.query('listen conformance')
      await client.query("notify conformance, 'heard'")
      await client.query("do $$ begin raise notice 'seen'; end $$")
      return Promise.all([notified, noticed])
    }),
    genuine: ['heard', 'seen'],
  },
  {
    behaviour: 'has a client quote names and values',
    observe: withClient(async (client) => [client.escapeIdentifier('a"b'), client.escapeLiteral("a'b")]),
    genuine: ['"a""b"', "'a''b'"],
  },
  {
    behaviour: 'parses by a client’s own parsers with setTypeParser()',
    observe: withClient(async (client) => {
      client.setTypeParser(20, BigInt)
      return told(client.query('select 7::int8 as n'))
    }),
    genuine: [{ n: 7n }],
  },
  {
    behaviour: 'lets the process end when a client that is lent is lost and nobody listens',
    observe: async ({ open }) => {
      const client = await open().connect()
      const listeners = client.listenerCount('error')
      client.release()
      return listeners === 0
    },
    genuine: true,
    ours: {
      answer: false,
      reason:
        'a freeze loses connections as a matter of course: the next statement on it tells, and the process goes on',
    },
  },
]
