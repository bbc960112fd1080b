import { ready, withDatabase } from 'cockroach-lambda'

/**
 * Your function. `db` is connected to the database that the secret names. An event without a name asks for the health
 * report, as `npx cockroach-lambda doctor --function` does.
 */
export async function greet(event, _context, db) {
  if (event.name === undefined) return db.healthCheck()
  const { rows } = await db.query('select $1::text as greeting', [`Hello, ${event.name}!`])
  return rows[0]
}

/** Ends statements before the invocation's deadline. */
export const handler = withDatabase(greet)

// Connects while Lambda starts the function, where the processor is whole; it never throws.
await ready()
