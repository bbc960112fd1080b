/** This package, through the layer, as its README says. */
import { getClient, withDatabase } from 'cockroach-lambda'
import { type BenchEvent, measured } from './measured.ts'

/** Waits for the connection. */
export async function connect(): Promise<void> {
  const client = await getClient()
  client.release()
}

export const handler = measured(withDatabase((_event: BenchEvent, _context, db) => db.query('select 1')))
