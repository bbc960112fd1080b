/** What a remedy is, and what it depends on. */
import type { ConnectionParameters } from '../../../src/connection/parameters.ts'
import type { RootCertificate } from '../../../src/connection/root-certificate.ts'
import type { StepName } from '../report.ts'

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

/** One failure: how to recognise it, why it happens, and the commands and clicks that mend it. */
export interface Row {
  readonly when: (fault: Fault) => boolean
  readonly why: string | ((fault: Fault) => string)
  readonly mend: (circumstances: Circumstances, fault: Fault) => readonly string[]
}
