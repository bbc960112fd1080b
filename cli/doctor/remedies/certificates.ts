/** Failures of root certificates and the handshake. */
import { isAdvancedHost, isCloudHost } from '../../../src/routing/host.ts'
import type { Circumstances, Row } from './remedy.ts'
import { CONSOLE, COPY_STRING, has, isCloud, PROGRAM, put, says } from './words.ts'

/** Public authorities sign for Basic and Standard clusters; Advanced ones and other servers have their own. */
function ownAuthority({ parameters, rootCertificate }: Circumstances): readonly string[] {
  const isPublic = parameters !== undefined && isCloudHost(parameters.host) && !isAdvancedHost(parameters.host)
  if (!isPublic) {
    return [
      `${PROGRAM} cert fetch --cluster-id <UUID of the cluster>`,
      'or name the CA: export PGSSLROOTCERT=<file of its root certificate>',
    ]
  }
  const isOfSetting = rootCertificate !== undefined && !['layer', 'node'].includes(rootCertificate.origin)
  return [
    isOfSetting
      ? 'Leave sslrootcert out, in the secret and in PGSSLROOTCERT'
      : 'Leave the network that opens TLS on the way, as the proxies of some companies do',
    `${PROGRAM} cert check --host ${parameters.host}`,
  ]
}

/** The first that fits. */
export const OF_CERTIFICATES: readonly Row[] = [
  {
    when: says(/^GET https:.* failed: /),
    why: (fault) => fault.hint ?? 'The certificate was not downloaded.',
    mend: () => [
      "Compare the UUID with the cluster's address in the console, .../cluster/<UUID>",
      `${CONSOLE}: your cluster > Connect > Download CA Cert`,
    ],
  },
  {
    when: says(/server requires encryption|sslmode=disable would send/),
    why: 'sslmode=disable is set, and the server is not on this machine or accepts TLS only.',
    mend: (about) => ['unset PGSSLMODE, or leave sslmode=disable out of the connection string', put(about)],
  },
  {
    when: says(/root certificate .*\.postgresql[/\\]root\.crt"[^:]* cannot be read: ENOENT/),
    why: "libpq's default file of root certificates does not exist here.",
    mend: () => [
      `${PROGRAM} cert fetch --cluster-id <the UUID in the cluster's address in the console>`,
      'For Basic and Standard clusters: leave sslrootcert out',
    ],
  },
  {
    when: says(/root certificate .* cannot be read: ENOENT/),
    why: 'sslrootcert names a file that is not on this machine: a path of another one, as of a laptop.',
    mend: (about) => [
      'unset PGSSLROOTCERT, and leave sslrootcert out of the secret: the layer has the certificate',
      put(about),
    ],
  },
  {
    when: says(/^root certificate /),
    why: 'The file of root certificates is not usable.',
    mend: () => [`${PROGRAM} cert check FILE`, `${PROGRAM} cert fetch --cluster-id <UUID of the cluster>`],
  },
  {
    when: says(/^ssl(?:cert|key)\b/),
    why: (fault) => fault.hint ?? 'The client certificate is not usable.',
    mend: (about) => ['Store certificate and key of one pair; docs/client-certificates.md has the forms', put(about)],
  },
  {
    when: (fault) => fault.hint?.includes('client certificate') === true,
    why: (fault) => fault.hint ?? '',
    mend: (about) => [
      'Compare the name in the certificate with the user, and its authority with those of the server',
      put(about),
    ],
  },
  {
    when: has('ERR_TLS', /ALTNAME/),
    why: "The certificate is another server's: its names do not contain this host.",
    mend: (about) => [
      `${COPY_STRING}, with its whole host name`,
      put(about),
      'Leave verification on: a weaker mode accepts any server',
    ],
  },
  {
    when: has('ERR_TLS', /EXPIRED/),
    why: 'A certificate of the server has expired, or the clock of this machine is wrong.',
    mend: () => ['date', 'Have the operator of the server renew its certificate'],
  },
  {
    when: has('ERR_TLS', /SELF_SIGNED|UNABLE_TO|self-signed|unable to/),
    why: "The chain does not end in the root certificate: an Advanced cluster and a server of one's own have a CA of their own.",
    mend: ownAuthority,
  },
  {
    when: says(/does not support SSL|establishing an SSL connection/),
    why: 'What answers there is not a PostgreSQL server with TLS: another host or port, or a server without a certificate.',
    mend: (about) =>
      isCloud(about)
        ? [`${COPY_STRING}: its port is 26257`, put(about)]
        : ['Compare host and port with the server', 'On the server: ssl = on, ssl_cert_file, ssl_key_file', put(about)],
  },
  {
    when: (fault) => fault.code === 'ERR_TLS',
    why: (fault) => fault.hint ?? 'The handshake failed.',
    mend: (about) => [`${PROGRAM} cert check --host ${about.parameters?.host ?? 'HOST'}`],
  },
]
