/** `pool.query()`. */
import { once } from 'node:events'
import { DatabaseError, type Pool, Query, type QueryArrayConfig, type QueryResult } from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { type Behaviour, countsOf, pidOf, shown, told } from './behaviour.ts'

/** Error and rows that a callback gets, and whether the call returned anything. */
function calledBack(call: (callback: (error: unknown, result?: QueryResult) => void) => unknown) {
  return new Promise((resolve) => {
    const returned = call((error, result) =>
      resolve([error === null ? undefined : shown(error), result?.rows, returned]),
    )
  })
}

export const STATEMENTS: readonly Behaviour[] = [
  ...[
    ['a text', (pool: Pool) => pool.query('select 1 as one')],
    ['a text and values', (pool: Pool) => pool.query('select $1::int as one', [1])],
    ['a configuration', (pool: Pool) => pool.query({ text: 'select $1::int as one', values: [1] })],
    ['a configuration, and values beside it', (pool: Pool) => pool.query({ text: 'select $1::int as one' }, [1])],
    ['a prepared statement', (pool: Pool) => pool.query({ name: 'one', text: 'select $1::int as one', values: [1] })],
    [
      'a callback in the configuration, which is not called,',
      (pool: Pool) => pool.query({ text: 'select 1 as one', callback: () => expectNothing() } as { text: string }),
    ],
  ].map(
    ([name, send]): Behaviour => ({
      behaviour: `answers ${name} with rows`,
      observe: ({ open }) => told((send as (pool: Pool) => Promise<{ rows: unknown }>)(open())),
      genuine: [{ one: 1 }],
    }),
  ),
  {
    behaviour: 'calls back with rows, with and without values, and returns nothing',
    observe: async ({ open }) => {
      const pool = open()
      return [
        await calledBack((callback) => pool.query('select 1 as one', callback)),
        await calledBack((callback) => pool.query('select $1::int as one', [1], callback)),
      ]
    },
    genuine: [
      [undefined, [{ one: 1 }], undefined],
      [undefined, [{ one: 1 }], undefined],
    ],
  },
  {
    behaviour: 'calls back with the server’s error, and returns nothing',
    observe: ({ open }) => calledBack((callback) => open().query('selec', callback)),
    genuine: ['42601', undefined, undefined],
  },
  {
    behaviour: 'calls back with the error of connecting, and returns nothing',
    observe: ({ openRefused }) => calledBack((callback) => openRefused().query('select 1', callback)),
    genuine: ['28P01', undefined, undefined],
    ours: {
      answer: ['ERR_AUTHENTICATION', undefined, undefined],
      reason: 'an error of connecting names its kind and what to do; the server’s own is its cause',
    },
  },
  {
    behaviour: 'calls a function back with an error when it is passed instead of a statement',
    observe: ({ open }) =>
      new Promise((resolve) => {
        open().query(((error: unknown) => resolve(error instanceof Error)) as unknown as string)
      }),
    genuine: true,
  },
  {
    behaviour: 'returns rows as arrays, the fields, the command and the number of rows',
    observe: async ({ open }) => {
      const config: QueryArrayConfig = { text: 'select 1 as a, 2 as a', rowMode: 'array' }
      const { rows, fields, command, rowCount } = await open().query(config)
      return [rows, fields.map(({ name, dataTypeID }) => [name, dataTypeID]), command, rowCount]
    },
    genuine: [
      [[1, 2]],
      [
        ['a', 23],
        ['a', 23],
      ],
      'SELECT',
      1,
    ],
  },
  {
    behaviour: 'returns a result for each of several statements in one text',
    observe: async ({ open }) => {
      const results: unknown = await open().query('select 1 as one; select 2 as two')
      return Array.isArray(results) ? results.map(({ rows }) => rows) : results
    },
    genuine: [[{ one: 1 }], [{ two: 2 }]],
  },
  {
    behaviour: 'parses values by type as pg does',
    observe: async ({ open }) => {
      const { rows } = await open().query(
        `select 1::int8 as a, 1.50::numeric as b, '{"k":1}'::jsonb as c, '2020-01-01T00:00:00Z'::timestamptz as d,
          '\\x00ff'::bytea as e, null as f, array[1,2] as g, true as h, 1.5::float8 as i`,
      )
      return rows
    },
    genuine: [
      {
        ...{ a: '1', b: '1.50', c: { k: 1 }, d: new Date('2020-01-01T00:00:00Z'), e: Buffer.from([0, 255]), f: null },
        ...{ g: [1, 2], h: true, i: 1.5 },
      },
    ],
  },
  {
    behaviour: 'rejects with a DatabaseError that has the server’s fields',
    observe: async ({ open }) => {
      const error: unknown = await open()
        .query('select 1/0')
        .catch((cause: unknown) => cause)
      return error instanceof DatabaseError && [error.code, error.severity, error.message]
    },
    genuine: ['22012', 'ERROR', 'division by zero'],
  },
  {
    behaviour: 'gives up the connection of a statement that the server refuses',
    observe: async ({ open }) => {
      const pool = open()
      const pid = await pidOf(pool)
      await told(pool.query('selec'))
      return (await pidOf(pool)) !== pid
    },
    genuine: true,
    ours: {
      answer: false,
      reason: 'a wrong statement leaves the session whole, and a new one costs a TLS handshake and a login',
    },
  },
  {
    behaviour: 'goes on after 20 refused statements, with no connection lost or left',
    observe: async ({ open }) => {
      const pool = open({ max: 3 })
      const answers = await Promise.all(Array.from({ length: 20 }, () => told(pool.query('selec'))))
      const rows = await told(pool.query('select 1 as one'))
      return [new Set(answers), rows, pool.idleCount === pool.totalCount, pool.waitingCount]
    },
    genuine: [new Set(['42601']), [{ one: 1 }], true, 0],
  },
  {
    behaviour: 'rejects a statement whose session the server ends, and goes on with a new one',
    observe: async ({ open }) => {
      const pool = open()
      const answer = await told(pool.query('select pg_terminate_backend(pg_backend_pid())'))
      return [answer, await told(pool.query('select 1 as one'))]
    },
    genuine: ['57P01', [{ one: 1 }]],
  },
  {
    behaviour: 'takes a Query that was made before, and resolves with its result',
    observe: async ({ open }) => {
      const pool = open()
      const query = new Query({ text: 'select 1 as one' } as never)
      const answer: unknown = await pool.query(query as never)
      return [answer === query, Object(answer).rows, countsOf(pool)]
    },
    genuine: [false, [{ one: 1 }], [1, 1, 0]],
  },
  {
    behaviour: 'rejects with the server’s error of a Query that was made before',
    observe: ({ open }) => told(open().query(new Query({ text: 'selec' } as never) as never)),
    genuine: '42601',
  },
  {
    behaviour: 'has a query stream read all, and releases its client then',
    observe: async ({ open }) => {
      const pool = open()
      const stream = new QueryStream('select generate_series(1, 3) as n')
      const released = once(pool, 'release')
      pool.query(stream)
      const rows: unknown[] = []
      for await (const row of stream) rows.push(row)
      await released
      return [rows, countsOf(pool)]
    },
    genuine: [
      [{ n: 1 }, { n: 2 }, { n: 3 }],
      [1, 1, 0],
    ],
  },
  {
    behaviour: 'loses the client of a cursor, which is released by nobody',
    observe: async ({ open }) => {
      const pool = open()
      const acquired = once(pool, 'acquire')
      const cursor = new Cursor('select 1 as one')
      // pg's types have no cursors for pools.
      pool.query(cursor as never)
      const [client] = await acquired
      const rows = await cursor.read(2)
      await cursor.close()
      await new Promise((resolve) => setImmediate(resolve))
      const isLost = pool.idleCount === 0
      if (isLost) client.release()
      return [rows, isLost]
    },
    genuine: [[{ one: 1 }], true],
    ours: { answer: [[{ one: 1 }], false], reason: 'a pool of one connection would never answer again' },
  },
]

function expectNothing(): never {
  throw new Error('the callback of the configuration was called')
}
