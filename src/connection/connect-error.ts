/** Turns every failure of connecting into one error with a code and a hint, and says whether to repeat the attempt. */
import type { Backoff } from '../base/backoff.ts'
import { ConnectionError, type ConnectionErrorCode } from '../base/connection-error.ts'
import { foreignError, foreignText, type Secrets } from '../base/foreign-text.ts'
import { certificateRefusal } from './certificate-refusal.ts'
import type { ClientCertificate } from './client-certificate.ts'
import type { ConnectionParameters } from './parameters.ts'
import { tlsHint } from './tls-error.ts'

interface Meaning {
  readonly code: ConnectionErrorCode
  readonly hint: string
  /** The wait before another attempt, for failures that may end by themselves within the time for connecting. */
  readonly retry?: Backoff
}

const SOON: Backoff = { baseMs: 100, capMs: 2000 }
/** A full server accepts connections only after others end: frequent attempts are of no use. */
const WHEN_OTHERS_LEFT: Backoff = { baseMs: 800, capMs: 2000 }

const ALLOWLIST =
  "Is the function's public address on the cluster's IP allowlist? A fixed one needs a VPC with a NAT gateway and an Elastic IP."
const ROUTE = 'Copy host and cluster identifier again from the console (Connect).'
const PROTOCOL = 'Is this the port of a PostgreSQL server, and may the user log in by password (scram-sha-256) there?'

/** By SQLSTATE, as the server sent it. */
const BY_SQLSTATE: ReadonlyMap<string, Meaning> = new Map(
  Object.entries<Meaning>({
    '28P01': { code: 'ERR_AUTHENTICATION', hint: 'Is this the password of this SQL user?' },
    '28000': { code: 'ERR_AUTHENTICATION', hint: 'Is the SQL user right, and may it log in?' },
    '3D000': { code: 'ERR_CONFIG', hint: 'Create the database, or correct dbname.' },
    '53300': {
      code: 'ERR_SERVER_REFUSED',
      hint: "The server accepts no more connections: lower max or the function's concurrency, or raise the limit.",
      retry: WHEN_OTHERS_LEFT,
    },
    '57P01': {
      code: 'ERR_SERVER_REFUSED',
      hint: 'The server is shutting down; it comes back by itself.',
      retry: SOON,
    },
    '57P02': { code: 'ERR_SERVER_REFUSED', hint: 'The server crashed and restarts.', retry: SOON },
    '57P03': {
      code: 'ERR_SERVER_REFUSED',
      hint: 'The server is starting or draining; it comes back by itself.',
      retry: SOON,
    },
  }),
)

/** CockroachDB Cloud's proxy sends one SQLSTATE (08C00, older 08004) for all this; only the text differs. */
const BY_PROXY_MESSAGE: readonly (readonly [RegExp, Meaning])[] = [
  [
    /codeParamsRoutingFailed: missing cluster (identifier|name)/,
    { code: 'ERR_ROUTING', hint: 'Set cluster (COCKROACH_CLUSTER): the host name does not contain it.' },
  ],
  [
    /codeParamsRoutingFailed: cluster .* not found/,
    { code: 'ERR_ROUTING', hint: `No such cluster: deleted, or name and number do not belong together. ${ROUTE}` },
  ],
  [/codeParamsRoutingFailed/, { code: 'ERR_ROUTING', hint: ROUTE }],
  [
    /too many failed authentication attempts|connection attempt throttled/,
    {
      code: 'ERR_SERVER_REFUSED',
      hint: 'Logins are throttled after wrong passwords from this address. Correct the secret and wait some minutes.',
    },
  ],
  [/codeProxyRefusedConnection/, { code: 'ERR_SERVER_REFUSED', hint: ALLOWLIST }],
  [
    /codeUnavailable/,
    { code: 'ERR_SERVER_REFUSED', hint: 'The cluster accepts no connections at the moment.', retry: SOON },
  ],
  [
    /server requires encryption/,
    { code: 'ERR_TLS', hint: 'The server accepts no connection without TLS: leave out sslmode=disable.' },
  ],
  [
    /cluster connections are limited/,
    { code: 'ERR_SERVER_REFUSED', hint: 'The cluster has used up its request units: raise its limit in the console.' },
  ],
]

/** By the error code of Node, or of the pool where the server breaks the protocol. */
const BY_CODE: ReadonlyMap<string, Meaning> = new Map(
  Object.entries<Meaning>({
    ENOTFOUND: { code: 'ERR_CONNECT', hint: 'Is the host name right, and can the function resolve it?' },
    EAI_AGAIN: { code: 'ERR_CONNECT', hint: 'The name server did not answer.', retry: SOON },
    ECONNREFUSED: {
      code: 'ERR_CONNECT',
      hint: 'Nothing listens there: is the port right, is the server up?',
      retry: SOON,
    },
    ECONNRESET: {
      code: 'ERR_CONNECT',
      hint: 'The server closed the connection during login; a draining server or a firewall does that.',
      retry: SOON,
    },
    EPIPE: { code: 'ERR_CONNECT', hint: 'The server closed the connection during login.', retry: SOON },
    EHOSTUNREACH: { code: 'ERR_CONNECT', hint: 'No route: does the VPC have a NAT gateway?' },
    ENETUNREACH: { code: 'ERR_CONNECT', hint: 'No route: does the VPC have a NAT gateway?' },
    ETIMEDOUT: { code: 'ERR_CONNECT', hint: `No answer: a VPC without a NAT gateway, or a firewall. ${ALLOWLIST}` },
    ENOENT: { code: 'ERR_CONNECT', hint: 'There is no Unix socket at this path.' },
    ERR_PROTOCOL: { code: 'ERR_CONNECT', hint: PROTOCOL },
  }),
)

/** How far an attempt came. */
export interface Reached {
  /** Milliseconds until TCP was open; undefined when it was not. */
  readonly tcpMs: number | undefined
  /** Milliseconds until the server was verified; undefined when it was not. */
  readonly tlsMs: number | undefined
}

/** A server that cannot be reached, one that does not speak, and one that is slow need different remedies. */
function timedOut({ tcpMs, tlsMs }: Reached): Meaning {
  const code = 'ERR_CONNECT'
  if (tlsMs !== undefined)
    return { code, hint: 'The server was verified, but is slow to log in: a paused cluster wakes up. Try again.' }
  return tcpMs === undefined
    ? {
        code,
        hint: `No answer in time: a VPC without a NAT gateway, a firewall, or a cluster that is down. ${ALLOWLIST}`,
      }
    : {
        code,
        hint: 'The address was reached, but the server is silent: is it up, is this its port, does an allowlist hold the function back?',
      }
}

/** pg's own errors have no code: these are their texts. */
const BY_PG_MESSAGE: readonly (readonly [string, Meaning])[] = [
  [
    'The server does not support SSL connections',
    { code: 'ERR_TLS', hint: 'The server offers no TLS: switch it on there, or is this another server or port?' },
  ],
  [
    'There was an error establishing an SSL connection',
    {
      code: 'ERR_TLS',
      hint: 'The server answered the request for TLS with something else: is this the port of a PostgreSQL server?',
    },
  ],
  [
    'Connection terminated unexpectedly',
    {
      code: 'ERR_CONNECT',
      hint: "The server closed the connection during login; a draining server, a firewall or an Advanced cluster's allowlist does that.",
      retry: SOON,
    },
  ],
]

/** pg's texts for an attempt that ran out of time. */
const TIMED_OUT = ['Connection terminated due to connection timeout', 'timeout expired']

const OTHERWISE: Meaning = { code: 'ERR_CONNECT', hint: 'See the cause.' }
const OTHER_ANSWER: Meaning = { code: 'ERR_SERVER_REFUSED', hint: 'The server was reached; the message is its own.' }

/** Why an attempt to connect failed, and whether to repeat it. */
export class ConnectFailure extends ConnectionError {
  /** For users it is a ConnectionError, by `instanceof` and when Node prints the name of its class. */
  static override readonly name = 'ConnectionError'
  /** Private, so that it is not printed. */
  readonly #retry: Backoff | undefined

  constructor({ code, hint, retry }: Meaning, message: string, cause: Error) {
    super(code, message, { cause, hint, safeToRetry: true })
    this.#retry = retry
  }

  /** How long to wait before another attempt; undefined when that would fail in the same way. */
  get retry(): Backoff | undefined {
    return this.#retry
  }
}

/** With several addresses tried, Node's error has no message of its own. */
function messageOf(error: AggregateError): string {
  return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ')
}

function meaningOf(error: Error, message: string, code: string, reached: Reached): Meaning {
  const proxy = BY_PROXY_MESSAGE.find(([pattern]) => pattern.test(message))
  if (proxy !== undefined) return proxy[1]
  const known = BY_SQLSTATE.get(code) ?? BY_CODE.get(code) ?? BY_PG_MESSAGE.find(([text]) => text === message)?.[1]
  if (known !== undefined) return known
  if (TIMED_OUT.includes(message)) return timedOut(reached)
  // Only an error from the server has a severity.
  if ('severity' in error) return OTHER_ANSWER
  const hint = tlsHint(error, code, message)
  return hint === undefined ? OTHERWISE : { code: 'ERR_TLS', hint }
}

/**
 * The ConnectionError for a failed attempt; one that is a ConnectionError already stays as it is.
 *
 * @param secrets what was sent to the server, which may quote it
 * @param reached how far the attempt came, for one that ran out of time
 * @param certificate the client's, which the server may refuse
 * @see https://www.cockroachlabs.com/docs/cockroachcloud/connect-to-your-cluster
 */
export function connectError(
  error: unknown,
  { host, port, user }: ConnectionParameters,
  secrets: Secrets = [],
  reached: Reached = { tcpMs: undefined, tlsMs: undefined },
  certificate?: ClientCertificate,
): ConnectionError {
  if (error instanceof ConnectionError) return error
  const cause = foreignError(error, secrets)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const message =
    cause.message === '' && error instanceof AggregateError ? foreignText(messageOf(error)) : cause.message
  // `tlsHint` needs the original error: a copy is not the one that ended the handshake.
  const meaning =
    certificateRefusal(code, message, user, certificate) ??
    meaningOf(error instanceof Error ? error : cause, message, code, reached)
  const text = code === '' || message.includes(code) ? message : `${message} (${code})`
  return new ConnectFailure(meaning, `connecting to ${host}:${port} as "${user}" failed: ${text}`, cause)
}
