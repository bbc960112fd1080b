/** Test runner: a process per file; then, one by one, the files whose commands build `dist/` anew under the others. */
import { defineConfig } from 'vitest/config'

const COMMANDS = ['test/readme.test.ts', 'test/local/start.test.ts']
/** Needs parts from outside: `npm run test:fidelity`. */
const FIDELITY = 'test/fidelity/**'

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The end of the run waits for watchdogs.
    teardownTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'modules', include: ['test/**/*.test.ts'], exclude: [...COMMANDS, FIDELITY] } },
      {
        extends: true,
        test: { name: 'commands', include: COMMANDS, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
