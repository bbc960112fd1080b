/** Drizzle's schema of the table that `migrations/` makes. */
import { bigint, pgTable } from 'drizzle-orm/pg-core'

export const account = pgTable('account', {
  id: bigint({ mode: 'bigint' }).primaryKey(),
  balance: bigint({ mode: 'bigint' }).notNull(),
})
