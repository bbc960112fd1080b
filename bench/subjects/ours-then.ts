/** This package in a CommonJS module that exports `ready` as `then`: the runtime awaits what it imports, and with it the connection. */
export { ready as then } from 'cockroach-lambda'
export { handler } from './ours.ts'
