/** A server's message that is not PostgreSQL's, is out of order, or cannot be answered by pg. */
export class ProtocolError extends Error {
  /** By which those who turn errors into a ConnectionError know it. */
  readonly code = 'ERR_PROTOCOL'
}
