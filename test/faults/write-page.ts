/** `npm run faults:page`: writes the rows' promises into docs/faults.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withTable } from '../support/marked-table.ts'
import { promiseTable } from './promise-table.ts'
import { ROWS } from './rows.ts'

const PAGE = join(import.meta.dirname, '../../docs/faults.md')
writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), 'faults', promiseTable(ROWS)))
