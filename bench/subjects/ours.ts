/** This package, through the layer, as its README says. */
import { withDatabase } from 'cockroach-lambda'
import { type BenchEvent, measured } from './measured.ts'

export const handler = measured(withDatabase((_event: BenchEvent, _context, db) => db.query('select 1')))
