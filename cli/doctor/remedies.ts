/** Why a step fails, and the command or click that mends it: the failures that people meet, in one table. */
import type { ConnectionParameters } from '../../src/connection/parameters.ts'
import type { RootCertificate } from '../../src/connection/root-certificate.ts'
import { isAdvancedHost, isCloudHost } from '../../src/routing/host.ts'
import type { StepName } from './report.ts'

/** What ended a step. */
export interface Fault {
  readonly step: StepName
  /** Of a ConnectionError, or an SQLSTATE. */
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
}

/** What a remedy depends on. */
export interface Circumstances {
  readonly secretId: string | undefined
  /** Undefined if the walk did not come so far. */
  readonly parameters: ConnectionParameters | undefined
  readonly rootCertificate: RootCertificate | undefined
}

export interface Remedy {
  readonly why: string
  readonly mend: readonly string[]
}

interface Row {
  readonly when: (fault: Fault) => boolean
  readonly why: string | ((fault: Fault) => string)
  readonly mend: (circumstances: Circumstances, fault: Fault) => readonly string[]
}

const PROGRAM = 'npx cockroach-lambda'
const CONSOLE = 'cockroachlabs.cloud'
const COPY_STRING = `${CONSOLE}: your cluster > Connect > copy the connection string`
const FIXED_ADDRESS =
  'For the function, a fixed address: a VPC with a NAT gateway and an Elastic IP (npx cdk deploy -c vpc=true)'

function put({ secretId }: Circumstances): string {
  return secretId === undefined
    ? 'Correct the value, and check again: npx cockroach-lambda doctor --url -'
    : `${PROGRAM} secret put --secret-id ${secretId}`
}

const says = (pattern: RegExp) => (fault: Fault) => pattern.test(fault.message)
const has =
  (code: string, pattern: RegExp = /./s) =>
  (fault: Fault) =>
    fault.code === code && pattern.test(fault.message)

function isCloud({ parameters }: Circumstances): boolean {
  return parameters !== undefined && (isCloudHost(parameters.host) || parameters.cluster !== undefined)
}

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
const ROWS: readonly Row[] = [
  {
    when: says(/^Invoke \S+ failed: ResourceNotFound/),
    why: 'There is no such function in this account and region.',
    mend: () => ['aws lambda list-functions --query Functions[].FunctionName', 'export AWS_REGION=<its region>'],
  },
  {
    when: says(/^Invoke \S+ failed: /),
    why: 'The function was not invoked: lambda:InvokeFunction must be allowed, and AWS reachable.',
    mend: () => ['aws sts get-caller-identity', 'IAM: allow lambda:InvokeFunction on the ARN of the function'],
  },
  {
    when: says(/^the function \S+ failed: /),
    why: 'The function threw, timed out or did not start; its log says where.',
    mend: (_, { message }) => [`aws logs tail /aws/lambda/${/^the function (\S+)/.exec(message)?.[1]} --since 10m`],
  },
  {
    when: says(/is not a health report$/),
    why: (fault) => fault.hint ?? 'It is another function.',
    mend: () => ['export const handler = async () => healthCheck()', 'or deploy the sample stack: npx cdk deploy'],
  },
  {
    when: says(/^GET https:.* failed: /),
    why: (fault) => fault.hint ?? 'The certificate was not downloaded.',
    mend: () => [
      "Compare the UUID with the cluster's address in the console, .../cluster/<UUID>",
      `${CONSOLE}: your cluster > Connect > Download CA Cert`,
    ],
  },
  {
    when: says(/missing cluster (identifier|name)|nothing names yours/),
    why: 'Many clusters share this address, and the host name does not contain the identifier of yours.',
    mend: () => [COPY_STRING, 'or name the cluster: export COCKROACH_CLUSTER=<cluster name>-<tenant id>'],
  },
  {
    when: says(/codeParamsRoutingFailed: cluster .* not found/),
    why: 'No such cluster: it was deleted, or name and number do not belong together.',
    mend: (about) => [COPY_STRING, put(about)],
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
  {
    when: (fault) => /^(Get|Put)SecretValue .*ResourceNotFound/.test(fault.message),
    why: 'There is no such secret in this account and region.',
    mend: ({ secretId = '<name>' }) => [
      'aws secretsmanager list-secrets --query SecretList[].Name',
      secretId.startsWith('arn:')
        ? 'Compare the account and the region in the ARN'
        : `aws secretsmanager create-secret --name ${secretId}`,
      `${PROGRAM} secret put --secret-id ${secretId}`,
    ],
  },
  {
    when: (fault) => /^(Get|Put)SecretValue .*(AccessDenied|DecryptionFailure)/.test(fault.message),
    why: (fault) => fault.hint ?? 'The caller may not read it.',
    mend: (_, { message }) => [
      'aws sts get-caller-identity',
      `IAM: allow secretsmanager:${message.startsWith('Put') ? 'PutSecretValue' : 'GetSecretValue'} on the ARN of the secret`,
    ],
  },
  {
    when: (fault) => /^(Get|Put)SecretValue .*(deletion|InvalidRequest)/.test(fault.message),
    why: 'The secret is scheduled for deletion.',
    mend: ({ secretId }) => [`aws secretsmanager restore-secret --secret-id ${secretId}`],
  },
  {
    when: (fault) =>
      /^(Get|Put)SecretValue .*(Credentials|Token|InvalidSignature|UnrecognizedClient)/.test(fault.message),
    why: (fault) => fault.hint ?? 'AWS does not accept the credentials of this process.',
    mend: () => ['aws sts get-caller-identity', 'aws configure, or aws sso login'],
  },
  {
    when: (fault) => /^(Get|Put)SecretValue .*Region/.test(fault.message),
    why: 'No region is set.',
    mend: () => ["export AWS_REGION=<the secret's region>"],
  },
  {
    when: (fault) => fault.code === 'ERR_SECRET_UNAVAILABLE',
    why: (fault) => fault.hint ?? 'Secrets Manager does not answer.',
    mend: ({ secretId }) => [`aws secretsmanager describe-secret --secret-id ${secretId}`],
  },
  {
    when: (fault) =>
      fault.code === 'ERR_SECRET_INVALID' || /^(DATABASE_URL|option connectionString)\b/.test(fault.message),
    why: (fault) => withoutCommand(fault.hint) ?? 'The text is not in a form that names a connection.',
    mend: (about) => [COPY_STRING, put(about)],
  },
  {
    when: has('ERR_CONFIG', /no secret and no server/),
    why: 'Nothing names a database.',
    mend: () => [
      `${PROGRAM} doctor --secret-id <name or ARN>`,
      `or give the connection string: ${PROGRAM} doctor --url -`,
    ],
  },
  {
    when: says(/\(3D000\)/),
    why: 'The server has no such database.',
    mend: ({ parameters }) => [
      `${PROGRAM} psql -- -c 'create database <name>'`,
      `or correct the database name, which is ${parameters?.dbname.replace(/^.*\./, '') ?? 'unknown'}`,
    ],
  },
  {
    when: (fault) => fault.code === 'ERR_CONFIG',
    why: (fault) => (fault.step === 'settings' ? 'A setting cannot be used.' : (fault.hint ?? 'See the message.')),
    mend: () => ['Correct or unset the variable that the message names; docs/settings.md lists all'],
  },
]

/** The library's hint may be a command with the secret's value on it: here `secret put` stands instead. */
function withoutCommand(hint: string | undefined): string | undefined {
  return hint !== undefined && /aws secretsmanager put-secret-value/.test(hint) ? undefined : hint
}

export function remedyFor(fault: Fault, circumstances: Circumstances): Remedy {
  const row = ROWS.find(({ when }) => when(fault))
  if (row === undefined) return { why: fault.hint ?? 'See the message.', mend: [`${PROGRAM} doctor --json`] }
  const why = typeof row.why === 'string' ? row.why : row.why(fault)
  return { why, mend: row.mend(circumstances, fault) }
}
