/** This package, through the layer, as its README says. */
import { type Database, withDatabase } from 'cockroach-lambda'
import { type FaultEvent, operate, type Query, type Subject } from './operations.ts'

export function subjectOf(db: Pick<Database, 'query' | 'transaction' | 'getClient'>): Subject {
  return {
    query: (text, values, options) => db.query(text, values, options),
    transaction: (work) => {
      const options = { isolationLevel: 'serializable', maxAttempts: 1000 } as const
      return db.transaction((client) => work(((text, values) => client.query(text, values)) as Query), options)
    },
    leak: async () => {
      await db.getClient()
    },
  }
}

export const handler = withDatabase((event: FaultEvent, _context, db) => operate(subjectOf(db), event))
