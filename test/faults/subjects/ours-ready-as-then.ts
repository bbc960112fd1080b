/** The same with the line that CommonJS can have too. */
export { ready as then } from 'cockroach-lambda'
export { handler } from './ours.ts'
