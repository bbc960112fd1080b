/** `npm run faults:page`: writes the rows' promises into README.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promiseTable, withTable } from './promise-table.ts'
import { ROWS } from './rows.ts'

const README = join(import.meta.dirname, '../../README.md')
writeFileSync(README, withTable(readFileSync(README, 'utf8'), promiseTable(ROWS)))
