/** Failures of finding the cluster, being let in, and logging in. */
import type { Row } from './remedy.ts'
import { CONSOLE, COPY_STRING, FIXED_ADDRESS, put, says } from './words.ts'

/** The first that fits. */
export const OF_CLUSTERS: readonly Row[] = [
  {
    when: says(/missing cluster (identifier|name)|nothing names yours/),
    why: 'Many clusters share this address, and the host name does not contain the identifier of yours.',
    mend: () => [COPY_STRING, 'or name the cluster: export COCKROACH_CLUSTER=<cluster name>-<tenant id>'],
  },
  {
    when: (fault) => fault.code === 'ERR_ROUTING',
    why: (fault) => fault.hint ?? 'The cluster identifier is not usable.',
    mend: (about) => [COPY_STRING, put(about)],
  },
  {
    when: says(/too many failed authentication attempts|connection attempt throttled/),
    why: 'Wrong passwords from this address: logins are throttled, for minutes up to an hour, also with the right one.',
    mend: (about) => [put(about), 'Then wait some minutes, and run doctor once: each wrong login prolongs it'],
  },
  {
    when: says(/codeProxyRefusedConnection/),
    why: "This machine's public address is not on the cluster's IP allowlist; a change takes up to 30 s. IPv6 is not supported.",
    mend: () => [
      `${CONSOLE}: your cluster > Networking > IP Allowlist > Add Network, with the address that this prints:`,
      'curl -4 https://checkip.amazonaws.com',
      FIXED_ADDRESS,
    ],
  },
  {
    when: (fault) => fault.code === 'ERR_AUTHENTICATION',
    why: 'The server refuses this user with this password.',
    mend: (about) => [
      `${CONSOLE}: your cluster > SQL Users > ${about.parameters?.user ?? 'the user'} > Change Password`,
      put(about),
    ],
  },
]
