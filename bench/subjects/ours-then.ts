/** This package in a CommonJS module that exports `then`: the runtime awaits what it imports, and with it the connection. */
import { connect, handler } from './ours.ts'

export { handler }

export function then(resolve: (exports: object) => void): void {
  void connect().finally(() => resolve({ handler }))
}
