/** A whole health report without an error, for `expect`. */
import { expect } from 'vitest'
import type { TestCloud } from '../../support/database.ts'

const MILLISECONDS = expect.toSatisfy((value) => typeof value === 'number' && value >= 0, 'milliseconds')
const FINGERPRINT = expect.stringMatching(/^(?:[\dA-F]{2}:){31}[\dA-F]{2}$/)
const ISO_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

function certificate(subject: string): unknown {
  const days = expect.toSatisfy((value) => Number.isInteger(value) && value > 0, 'days left')
  return { subject, issuer: 'Stand-in Root CA', validTo: ISO_TIME, daysLeft: days, fingerprint256: FINGERPRINT }
}

/** @param uses how often the connection was lent; more than once is reused. */
export function wholeReport(cloud: TestCloud, uses: number, server: unknown): unknown {
  const { host, cluster, user, standIn } = cloud
  const database = `${cluster}.defaultdb`
  const session = { reused: uses > 1, auth: 'password', ageMs: MILLISECONDS, uses, backendPid: expect.any(Number) }
  return {
    ok: true,
    server,
    connection: { host, port: standIn.port, database, user, cluster, ...session },
    tls: {
      authorized: true,
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_\w+$/),
      chain: [certificate(host), certificate('Stand-in Root CA')],
    },
    rootCertificate: { origin: 'layer', path: expect.stringMatching(/\/certs\/root\.crt$/) },
    secret: {
      versionId: expect.stringMatching(/^[\da-f-]{36}$/),
      versionStage: 'AWSCURRENT',
      ageMs: MILLISECONDS,
      readAgoMs: MILLISECONDS,
    },
    timings: {
      connectMs: MILLISECONDS,
      queryMs: MILLISECONDS,
      totalMs: MILLISECONDS,
      opening: { tcpMs: MILLISECONDS, tlsMs: MILLISECONDS, loginMs: MILLISECONDS },
    },
  }
}
