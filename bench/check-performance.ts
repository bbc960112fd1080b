/** Part of `npm run check`: fails when the README's figures are not those of `results.json`. */
import { isReadmeCurrent } from './performance-page.ts'

if (!(await isReadmeCurrent())) {
  process.stderr.write('README.md: the section on performance is not that of bench/results.json; run `npm run bench`\n')
  process.exitCode = 1
}
