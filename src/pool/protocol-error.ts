/** What a server sends that is no PostgreSQL, not in this order, or nothing that pg can answer. */
export class ProtocolError extends Error {
  /** By which those who turn errors into a ConnectionError know it. */
  readonly code = 'ERR_PROTOCOL'
}
