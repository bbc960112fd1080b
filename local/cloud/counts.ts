/** Counts of what passed through the stand-in since it started, or since the last reset. */
export class Counts {
  /** TCP connections accepted. */
  tcp = 0
  /** TLS handshakes completed. */
  tls = 0
  /** Start-up messages that arrived, which name user and database. */
  startups = 0
  /** Password attempts that reached the server. */
  logins = 0
  /** Logins that the server accepted. */
  authOk = 0
  /** Cancel requests passed on. */
  cancels = 0
  /** Pieces of data read from clients: about one per write of theirs. */
  clientPackets = 0
  /** From clients, with TLS around them. */
  bytesIn = 0
  /** To clients, with TLS around them. */
  bytesOut = 0
  /** When each password attempt was made, milliseconds since the epoch. */
  readonly loginTimes: number[] = []
  /** When each start-up message arrived: attempts to connect, logged in or not. */
  readonly startupTimes: number[] = []
}
