/** Reports on secret, connection, TLS and server: never throws, and holds no secret. */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Clock } from './base/clock.ts'
import { ConnectionError } from './base/connection-error.ts'
import { foreignError, foreignText, type Secrets } from './base/foreign-text.ts'
import type { RootCertificate } from './connection/root-certificate.ts'
import type { ResolvedConnection } from './connection/source.ts'
import type { DatabaseClient } from './pool/client.ts'
import type { DatabasePool } from './pool/pool.ts'

const DAY_MS = 86_400_000

export interface CertificateReport {
  readonly subject: string
  readonly issuer: string
  /** ISO 8601. */
  readonly validTo: string
  readonly daysLeft: number
  readonly fingerprint256: string
}

/** All times in milliseconds. */
export interface HealthReport {
  readonly ok: boolean
  readonly server?: { readonly name: 'CockroachDB' | 'PostgreSQL'; readonly version: string | undefined }
  readonly connection?: {
    readonly host: string
    readonly port: number
    readonly database: string
    readonly user: string
    /** How the user logs in: with a password, with what a password function returned, with a token of STS, or without. */
    readonly auth: 'password' | 'function' | 'jwt' | 'none'
    /** CockroachDB Cloud's cluster identifier, where one applies. */
    readonly cluster: string | undefined
    /** True when an earlier caller had the connection before. */
    readonly reused: boolean
    readonly ageMs: number
    /** How often the pool has lent it, this time included. */
    readonly uses: number
    readonly backendPid: number | undefined
  }
  /** Absent on a Unix socket. */
  readonly tls?: {
    /** The chain ends in the root certificate and the host name is the certificate's. */
    readonly authorized: boolean
    readonly protocol: string | null
    readonly cipher: string
    /** From the server's certificate to the last one that was seen; empty on a resumed session. */
    readonly chain: readonly CertificateReport[]
  }
  readonly rootCertificate?: { readonly origin: RootCertificate['origin']; readonly path: string | undefined }
  readonly secret?: {
    readonly versionId: string | undefined
    readonly versionStage: string
    /** Since this version was made. */
    readonly ageMs: number | undefined
    /** Since it was read. */
    readonly readAgoMs: number
  }
  readonly timings: {
    /** From the request to a connection, the secret included. */
    readonly connectMs?: number
    readonly queryMs?: number
    readonly totalMs: number
    /** The steps of opening this connection, whenever that was. */
    readonly opening?: {
      readonly tcpMs: number | undefined
      readonly tlsMs: number | undefined
      readonly loginMs: number | undefined
    }
  }
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string | undefined }
}

function nameOf(name: Record<string, string | string[] | undefined>): string {
  return foreignText([name.CN ?? name.O ?? name.OU ?? 'unnamed'].flat().join(', '))
}

function describeCertificate(certificate: DetailedPeerCertificate, now: number): CertificateReport {
  const validTo = new Date(certificate.valid_to)
  return {
    subject: nameOf({ ...certificate.subject }),
    issuer: nameOf({ ...certificate.issuer }),
    validTo: validTo.toISOString(),
    daysLeft: Math.floor((validTo.getTime() - now) / DAY_MS),
    fingerprint256: certificate.fingerprint256,
  }
}

/** The chain as Node links it; a root is its own issuer. */
export function describeChain(socket: TLSSocket, now: number): readonly CertificateReport[] {
  const chain: CertificateReport[] = []
  const seen = new Set<string>()
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (certificate?.fingerprint256 !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256)
    chain.push(describeCertificate(certificate, now))
    certificate = certificate.issuerCertificate
  }
  return chain
}

function describeTls(client: DatabaseClient, now: number): Pick<HealthReport, 'tls'> {
  const socket = client.tlsSocket
  if (socket === undefined) return {}
  return {
    tls: {
      authorized: socket.authorized,
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().name,
      chain: describeChain(socket, now),
    },
  }
}

function describeServer(client: DatabaseClient): Required<Pick<HealthReport, 'server'>> {
  const cockroach = client.serverParameter('crdb_version')
  const version = cockroach ?? client.serverParameter('server_version')
  return {
    server: {
      name: cockroach === undefined ? 'PostgreSQL' : 'CockroachDB',
      version: version && foreignText(version, [client.openedWith?.password]),
    },
  }
}

function describeConnection(
  client: DatabaseClient,
  { parameters, password, passwordKind, rootCertificate, secret }: ResolvedConnection,
  clock: Clock,
): Partial<HealthReport> {
  const { host, port, dbname: database, user, cluster } = parameters
  const steadyNow = clock.steadyNow()
  const connection: HealthReport['connection'] = {
    host,
    port,
    database,
    user,
    auth: passwordKind ?? (password === undefined ? 'none' : 'password'),
    cluster,
    reused: client.uses > 1,
    ageMs: steadyNow - client.openedAt,
    uses: client.uses,
    backendPid: client.backendPid,
  }
  return {
    connection,
    rootCertificate: { origin: rootCertificate.origin, path: rootCertificate.path },
    ...(secret !== undefined && {
      secret: {
        versionId: secret.versionId,
        versionStage: secret.versionStage,
        ageMs: secret.createdAt === undefined ? undefined : clock.now() - secret.createdAt,
        readAgoMs: steadyNow - secret.readAt,
      },
    }),
  }
}

function describeError(error: unknown, secrets: Secrets): Required<Pick<HealthReport, 'error'>> {
  if (error instanceof ConnectionError) return { error: { code: error.code, message: error.message, hint: error.hint } }
  const known = foreignError(error, secrets)
  const code = 'code' in known && typeof known.code === 'string' ? known.code : known.name
  return { error: { code, message: known.message, hint: undefined } }
}

/** Takes a connection, runs `select 1` on it, and reports what it found. */
export async function checkHealth(getPool: () => DatabasePool, clock: Clock): Promise<HealthReport> {
  const { steadyNow: now } = clock
  const startedAt = now()
  const timings = (): { totalMs: number } => ({ totalMs: now() - startedAt })
  let secrets: Secrets = []
  try {
    const client = await getPool().take(undefined)
    const connectMs = now() - startedAt
    secrets = [client.openedWith?.password]
    try {
      const queriedAt = now()
      await client.query('select 1')
      const queryMs = now() - queriedAt
      return {
        ok: true,
        ...describeServer(client),
        ...(client.openedWith && describeConnection(client, client.openedWith, clock)),
        ...describeTls(client, clock.now()),
        timings: { connectMs, queryMs, ...timings(), opening: client.connectTimings },
      }
    } finally {
      client.release()
    }
  } catch (error) {
    return { ok: false, timings: timings(), ...describeError(error, secrets) }
  }
}
