/** The metrics of CloudWatch, which `cdk/` draws. */

export const METRIC_NAMESPACE = 'CockroachLambda'
/** The one dimension: the function's name. */
export const METRIC_DIMENSION = 'FunctionName'

/** How long each connection took to open, in milliseconds; the others are counts. */
export const CONNECT_TIME = 'ConnectTime'

/** What is counted, by the diagnostics channel whose messages count. */
export const COUNTS = {
  connect: 'ConnectionsOpened',
  reuse: 'ConnectionsReused',
  discard: 'ConnectionsReplaced',
  retry: 'TransactionRetries',
  secret: 'SecretReads',
  loginRefused: 'LoginsRefused',
  deadline: 'DeadlineHits',
} as const
