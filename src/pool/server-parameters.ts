/** Keeps what a server says about itself: the parameters that a health report shows, of any number that it may send. */
import type { EventEmitter } from 'node:events'

const SHOWN = ['server_version', 'crdb_version']
const LONGEST = 256

/** pg's message of that name. @see https://www.postgresql.org/docs/current/protocol-message-formats.html */
interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

/** The parameters of a connection by name, as they come. */
export function keptParameters(connection: EventEmitter): ReadonlyMap<string, string> {
  const kept = new Map<string, string>()
  connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
    if (SHOWN.includes(parameterName) && parameterValue.length <= LONGEST) kept.set(parameterName, parameterValue)
  })
  return kept
}
