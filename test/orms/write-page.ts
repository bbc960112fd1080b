/** `npm run orms:page`: writes the rows that the tests run into docs/orms.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withTable } from '../support/marked-table.ts'
import { libraryTable } from './support/library-table.ts'

const PAGE = join(import.meta.dirname, '../../docs/orms.md')
writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), 'libraries', libraryTable()))
