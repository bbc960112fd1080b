/** Failures of reaching a server, and of what it answers. */
import type { Row } from './remedy.ts'
import { CONSOLE, COPY_STRING, FIXED_ADDRESS, has, isCloud, PROGRAM, put, says } from './words.ts'

/** The first that fits. */
export const OF_SERVERS: readonly Row[] = [
  {
    when: says(/cluster connections are limited/),
    why: 'The cluster has used up its request units for this month.',
    mend: () => [`${CONSOLE}: your cluster > Edit cluster > Capacity: raise the limit`],
  },
  {
    when: says(/\(53300\)|too many (clients|connections)/),
    why: 'All connections of the server are in use.',
    mend: () => [
      'aws lambda put-function-concurrency --function-name <function> --reserved-concurrent-executions <fewer>',
      "or raise the server's limit of connections",
    ],
  },
  {
    when: (fault) => /^(40001|40003)$/.test(fault.code) || /\((40001|40003)\)/.test(fault.message),
    why: 'The server is well: it asks to repeat the transaction, or cannot say whether it took effect.',
    mend: () => [`${PROGRAM} doctor`, 'In code: transaction() repeats what may be repeated'],
  },
  {
    when: says(/\(57P0[123]\)|codeUnavailable|shutting down|not accepting clients|starting up/),
    why: 'The server is starting, draining or paused; it comes back by itself.',
    mend: () => [`${PROGRAM} doctor, in a minute`, `${CONSOLE}: your cluster > Overview shows its state`],
  },
  {
    when: has('ERR_CONNECT', /terminated unexpectedly|ECONNRESET|EPIPE/),
    why: "The connection was closed without a word: by a draining server, a firewall, or an Advanced cluster's allowlist.",
    mend: () => [`${PROGRAM} doctor, once more`, `${CONSOLE}: your cluster > Networking > IP Allowlist`, FIXED_ADDRESS],
  },
  {
    when: (fault) => fault.code === 'ERR_CONNECT' && /timeout expired/.test(fault.message) && fault.step !== 'TCP',
    why: 'The address was reached, and the server is silent: it is overloaded, or this is the port of something else.',
    mend: (about) => [
      isCloud(about) ? `${COPY_STRING}: its port is 26257` : 'Compare host and port with the server',
      `${PROGRAM} doctor, in a minute`,
    ],
  },
  {
    when: has('ERR_CONNECT', /timeout|ETIMEDOUT|in time|EHOSTUNREACH|ENETUNREACH/),
    why: 'No answer: a VPC without a NAT gateway, a firewall, an Advanced cluster that does not know this address, or a server that is down.',
    mend: () => [`${CONSOLE}: your cluster > Networking > IP Allowlist`, FIXED_ADDRESS],
  },
  {
    when: has('ERR_CONNECT', /ENOTFOUND|EAI_AGAIN/),
    why: 'No such host name: it is cut off or misspelt, or the name server cannot be reached.',
    mend: (about) => [COPY_STRING, put(about)],
  },
  {
    when: has('ERR_CONNECT', /ECONNREFUSED|no Unix socket|ENOENT/),
    why: 'Nothing listens at this host and port.',
    mend: (about) => [
      isCloud(about) ? `${COPY_STRING}: its port is 26257` : 'Start the server, or correct host and port',
      put(about),
    ],
  },
]
