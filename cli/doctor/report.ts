/** What the doctor reports: its steps, and what stopped it. */
import type { CertificateReport, HealthReport } from '../../src/health-check.ts'

/** In the order of the walk. */
export const STEPS = [
  'settings',
  'secret',
  'form',
  'routing',
  'root certificate',
  'client certificate',
  'DNS',
  'TCP',
  'SSLRequest',
  'chain',
  'host name',
  'login',
  'first query',
  'server',
  'privileges',
  'round trip',
] as const
export type StepName = (typeof STEPS)[number]

export interface StepReport {
  readonly step: StepName
  /** `skipped`: nothing to look at, as DNS with an address. */
  readonly status: 'passed' | 'failed' | 'skipped'
  readonly saw: string
  readonly ms: number
  /** What was repaired, ignored or raised, one sentence each. */
  readonly warnings: readonly string[]
}

export interface Failure {
  readonly step: StepName
  /** Of a ConnectionError, or the SQLSTATE of a statement. */
  readonly code: string
  readonly saw: string
  readonly why: string
  /** Commands to type and things to click, one each. */
  readonly mend: readonly string[]
}

/** Both sides of a trust that failed. */
export interface TrustReport {
  /** From the server's certificate upwards. */
  readonly presented: readonly CertificateReport[]
  /** What the chain has to end in; empty for Node's own roots. */
  readonly rootCertificate: readonly CertificateReport[]
  readonly rootCertificateOrigin: string
}

export interface DoctorReport {
  readonly ok: boolean
  readonly steps: readonly StepReport[]
  readonly failure?: Failure
  readonly trust?: TrustReport
  /** The library's own report, on the connection that was opened. */
  readonly health?: HealthReport
}
