/** Reports statements and connects, in the words of OpenTelemetry's conventions for databases. */
import { isInstrumented, type OperationAttributes } from '../base/spans.ts'
import { type TracedOperation, traced } from '../base/tracing.ts'
import type { ConnectionParameters } from '../connection/parameters.ts'
import { isCloudHost } from '../routing/host.ts'

/** Of a client, what is reported. */
interface TracedClient {
  readonly host: string
  readonly port: number
  readonly database?: string | undefined
  readonly connect: object
  serverParameter(name: string): string | undefined
}

/** The first word of a text that is one statement; with a comment in front there is none. */
const OPERATION = /^\s*([a-z]{1,20})\b(?!.*;\s*\S)/is

/** @see https://opentelemetry.io/docs/specs/semconv/db/database-spans/ */
function serverAttributes(host: string, port: number, database: string | undefined): OperationAttributes {
  return { 'db.namespace': database, 'server.address': host, 'server.port': port }
}

function systemOf(client: TracedClient): string {
  return client.serverParameter('crdb_version') === undefined ? 'postgresql' : 'cockroachdb'
}

/** With its text only if the values are beside it, since any other text may hold some. */
function describeStatement(client: TracedClient, config: unknown, values: unknown): TracedOperation {
  const { text, values: own } = Object(typeof config === 'string' ? { text: config } : config)
  const [, operation] = OPERATION.exec(text) ?? []
  const isParameterised = [values, own].some((list) => Array.isArray(list) && list.length > 0)
  const { host, port, database } = client
  return {
    name: [operation, database].filter(Boolean).join(' '),
    attributes: {
      'db.system.name': systemOf(client),
      ...serverAttributes(host, port, database),
      'db.operation.name': operation,
      'db.query.text': isParameterised ? text : undefined,
    },
  }
}

/** Sends a statement with `send`. */
export function traceStatement<Result>(
  client: TracedClient,
  config: unknown,
  values: unknown,
  send: () => Promise<Result>,
): Promise<Result> {
  const describe = () => describeStatement(client, config, values)
  return traced('statement', describe, send, !isInstrumented(client.connect))
}

/** Opens a connection with `open`, by a method `connect` of pg's. */
export function traceConnect<Client extends TracedClient>(
  { host, port, dbname }: ConnectionParameters,
  connect: object,
  open: () => Promise<Client>,
): Promise<Client> {
  // As far as it can be known before the server has said a word.
  const system = isCloudHost(host) ? 'cockroachdb' : 'postgresql'
  const attributes: OperationAttributes = { 'db.system.name': system, ...serverAttributes(host, port, dbname) }
  const work = async (): Promise<Client> => {
    const client = await open()
    attributes['db.system.name'] = systemOf(client)
    return client
  }
  return traced('connect', () => ({ name: 'connect', attributes }), work, !isInstrumented(connect))
}
