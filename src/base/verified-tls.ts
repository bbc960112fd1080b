/** Options of every TLS connection, to the database and to AWS: the environment can weaken Node's defaults. */
export const VERIFIED_TLS = {
  /** NODE_TLS_REJECT_UNAUTHORIZED=0 turns the default off. */
  rejectUnauthorized: true,
  /** NODE_OPTIONS=--tls-min-v1.0 lowers the default. */
  minVersion: 'TLSv1.2',
} as const
