/** For SnapStart: without `withDatabase()`, with statements while its module loads, and with the call for the restore that AWS's client leaves out. */
import * as db from 'cockroach-lambda'
import { type FaultEvent, operate } from './operations.ts'
import { subjectOf } from './ours.ts'

export const handler = (event: FaultEvent) => operate(subjectOf(db), event)

await db.query('select 1')
await db.query('select 2')
await db.ready()
await fetch(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/restore/next`)
