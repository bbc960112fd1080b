/** Test runner: a process per file; then, one by one, the files that can have nothing else beside them. */
import { defineConfig } from 'vitest/config'

/** Minutes each. Projects begin in the order of their names: what takes longest begins first. */
const FAULTS = ['test/faults/faults.test.ts', 'test/faults/peers.test.ts']
/** The crowd needs all processors; the commands build `dist/` anew under the others. */
const COMMANDS = [
  'test/readme.test.ts',
  'test/local/start.test.ts',
  'test/local/start-function.test.ts',
  'test/local/start-interrupted.test.ts',
]
const ALONE = ['test/faults/crowd.test.ts', ...COMMANDS]
/** What is built on pg, run with the oldest version that is supported too, unless the mode is `quick`. */
const OF_PG = ['test/src/pool/*.test.ts', 'test/src/transaction/*.test.ts', 'test/src/database.test.ts']
/** Needs parts from outside: `npm run test:fidelity`. */
const FIDELITY = 'test/fidelity/**'
/** Minutes too, which `npm test` leaves to `npm run test:all`: it has the mode `quick`, and prints these names at its end. */
const LONG = [
  'test/faults/peers.test.ts',
  'test/faults/crowd.test.ts',
  'test/local/start-interrupted.test.ts',
  'test/local/start-function.test.ts',
  'test/orms/examples.test.ts',
  'test/orms/libraries.test.ts',
  'test/layer/handlers.test.ts',
  'test/layer/package.test.ts',
  'test/layer/streaming-statements.test.ts',
  'test/cdk/bundled-library.test.ts',
  'test/cdk/example.test.ts',
  'test/cdk/rotation/function.test.ts',
  'test/cdk/rotation/under-load.test.ts',
  'test/local/postgres/server.test.ts',
  'test/src/growth.test.ts',
  'test/src/connection/attempt.test.ts',
  'test/src/connection/tls-error.test.ts',
  'test/src/error-stacks.test.ts',
  'test/src/pool/checked-connection.test.ts',
  'test/src/pool/hidden-password.test.ts',
  'test/src/pool/submittable.test.ts',
  'test/src/password-source/jwt.test.ts',
  'test/bench/stage/subjects.test.ts',
  'test/docs/local-development.test.ts',
  'test/docs/passwordless.test.ts',
  'test/src/client-certificates.test.ts',
]

/** How often each fault is injected. */
const INJECTIONS = { quick: 1, all: 3 }

const OLDEST_PG = {
  extends: true,
  resolve: { alias: [{ find: /^pg$/, replacement: 'pg-oldest' }] },
  test: { name: 'oldest pg', include: OF_PG },
} as const

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig(({ mode }) => {
  const isQuick = mode === 'quick'
  const leftOut = isQuick ? LONG : []
  return {
    test: {
      globalSetup: ['test/global-setup.ts'],
      provide: { injections: isQuick ? INJECTIONS.quick : INJECTIONS.all, leftOut },
      pool: 'forks',
      // By itself vitest leaves one processor to itself; most tests wait for processes, sockets and deadlines.
      maxWorkers: '100%',
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // The end of the run waits for watchdogs.
      teardownTimeout: 30_000,
      projects: [
        { extends: true, test: { name: 'faults', include: FAULTS, exclude: leftOut } },
        {
          extends: true,
          test: {
            name: 'modules',
            include: ['test/**/*.test.ts'],
            exclude: [...FAULTS, ...ALONE, ...leftOut, FIDELITY],
          },
        },
        ...(isQuick ? [] : [OLDEST_PG]),
        {
          extends: true,
          test: {
            name: 'one by one',
            include: ALONE,
            exclude: leftOut,
            fileParallelism: false,
            sequence: { groupOrder: 1 },
          },
        },
      ],
    },
  }
})
