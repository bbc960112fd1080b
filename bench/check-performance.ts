/** Part of `npm run check`: fails when the figures of docs/performance.md are not those of `results.json`. */
import { isPerformancePageCurrent } from './performance-page.ts'

if (!(await isPerformancePageCurrent())) {
  process.stderr.write('docs/performance.md: the figures are not those of bench/results.json; run `npm run bench`\n')
  process.exitCode = 1
}
