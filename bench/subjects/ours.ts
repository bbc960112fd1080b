/** This package, through the layer, as its README says. */
import { withDatabase } from 'cockroach-lambda'
import { type BenchEvent, measured } from './measured.ts'

/** For the subjects that wait for it in init. */
export { ready as connect } from 'cockroach-lambda'

export const handler = measured(withDatabase((_event: BenchEvent, _context, db) => db.query('select 1')))
