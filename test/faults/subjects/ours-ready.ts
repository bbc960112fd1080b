/** The same, connected when init ends: an ES module waits at its top. */
import { ready } from 'cockroach-lambda'

export { handler } from './ours.ts'

await ready()
