/** Test runner: a process per file; then, one by one, the files that can have nothing else beside them. */
import { defineConfig } from 'vitest/config'

/** Minutes each. Projects begin in the order of their names: what takes longest begins first. */
const FAULTS = ['test/faults/faults.test.ts', 'test/faults/peers.test.ts']
/** The crowd needs all processors; the commands build `dist/` anew under the others. */
const ALONE = ['test/faults/crowd.test.ts', 'test/readme.test.ts', 'test/local/start.test.ts']
/** What is built on pg, run with the oldest version that is supported too. */
const OF_PG = ['test/src/pool/*.test.ts', 'test/src/transaction/*.test.ts', 'test/src/database.test.ts']
/** Needs parts from outside: `npm run test:fidelity`. */
const FIDELITY = 'test/fidelity/**'

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    // By itself vitest leaves one processor to itself; most tests wait for processes, sockets and deadlines.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The end of the run waits for watchdogs.
    teardownTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'faults', include: FAULTS } },
      {
        extends: true,
        test: { name: 'modules', include: ['test/**/*.test.ts'], exclude: [...FAULTS, ...ALONE, FIDELITY] },
      },
      {
        extends: true,
        resolve: { alias: [{ find: /^pg$/, replacement: 'pg-oldest' }] },
        test: { name: 'oldest pg', include: OF_PG, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'one by one', include: ALONE, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
})
