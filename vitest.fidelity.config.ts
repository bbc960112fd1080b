/** Test runner for the outside parts: one file after the other, as each starts servers and compilers of its own. */
import { defineConfig } from 'vitest/config'

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    include: ['test/fidelity/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    provide: { injections: 1, leftOut: [] },
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    teardownTimeout: 30_000,
  },
})
