/** Part of `npm run check`: fails when the figures of README and docs/performance.md are not those of `results.json`. */
import { outdatedPages } from './performance-pages.ts'

for (const path of await outdatedPages()) {
  process.stderr.write(`${path}: the figures are not those of bench/results.json; run \`npm run bench\`\n`)
  process.exitCode = 1
}
