/** Walks from the settings to the round trip, and reports what it found. */
import type { Environment } from '../../src/base/environment-variables.ts'
import type { ResolvedConnection } from '../../src/connection/source.ts'
import { failureOf } from './failure.ts'
import { describeCertificates, Probe } from './probe.ts'
import type { DoctorReport, StepReport, TrustReport } from './report.ts'
import { reachServer, useServer } from './steps.ts'
import { type ReadSubject, readSubject, type Subject } from './subject.ts'
import { StepFailure, Walk } from './walk.ts'

export interface Examination {
  readonly report: DoctorReport
  /** What was read, if the walk came so far. */
  readonly read: ReadSubject | undefined
}

function trustOf({ rootCertificate }: ResolvedConnection, { presented }: Probe): TrustReport {
  const now = Date.now()
  const { ca, path, origin } = rootCertificate
  return {
    presented,
    rootCertificate: describeCertificates(ca ?? [], now),
    rootCertificateOrigin: ca === undefined ? "Node's own roots" : (path ?? origin),
  }
}

/** Never throws for what it finds; at most one login. */
export async function examine(
  subject: Subject,
  environment: Environment,
  onStep: (report: StepReport) => void = () => undefined,
): Promise<Examination> {
  const walk = new Walk(onStep)
  let read: ReadSubject | undefined
  let probe: Probe | undefined
  try {
    read = await readSubject(walk, subject, environment)
    probe = new Probe(read.connection)
    await reachServer(walk, read.connection, probe)
    const health = await useServer(walk, read.connection, read.settings)
    return { report: { ok: true, steps: walk.steps, health }, read }
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    const secretId = subject.secretId ?? (subject.text === undefined ? environment.COCKROACH_SECRET_ID : undefined)
    const failure = failureOf(error, {
      secretId,
      parameters: read?.connection.parameters,
      rootCertificate: read?.connection.rootCertificate,
    })
    const isOfTrust = probe !== undefined && ['chain', 'host name'].includes(error.step)
    const trust = isOfTrust && read !== undefined && probe !== undefined ? trustOf(read.connection, probe) : undefined
    return { report: { ok: false, steps: walk.steps, failure, ...(trust !== undefined && { trust }) }, read }
  }
}
