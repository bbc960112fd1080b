/** Runs the sample stack's health check cold, warm and after a freeze, and collects the results. */

import { Password } from '../../src/base/password.ts'
import { buildConnectionString } from '../../src/connection-string/parse.ts'
import type { HealthReport } from '../../src/health-check.ts'
import type { BuiltLayer } from '../built-layer.ts'
import type { ExecutionEnvironment } from '../lambda/execution-environment.ts'
import type { InvocationResult } from '../lambda/invocation-result.ts'
import type { SampleStack } from './stack.ts'

const WARM_INVOCATIONS = 3

export interface SampleInvocation {
  readonly kind: 'cold' | 'warm' | 'thawed'
  readonly ok: boolean
  /** Milliseconds; a cold one counts its init phase. */
  readonly ms: number
  readonly reused: boolean | undefined
  readonly backendPid: number | undefined
  readonly tls: { readonly authorized: boolean; readonly protocol: string | null } | undefined
  /** What went wrong. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined }
}

export interface SampleReport {
  readonly ok: boolean
  readonly layer: BuiltLayer
  readonly connection: {
    /** The connection string, its password left out. */
    readonly redacted: string
    readonly host: string
    readonly database: string
    readonly sslmode: string
    readonly sslrootcert: string
  }
  readonly tls: HealthReport['tls'] | undefined
  readonly invocations: readonly SampleInvocation[]
}

/** Milliseconds with one decimal. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}

function isHealthReport(payload: unknown): payload is HealthReport {
  return typeof payload === 'object' && payload !== null && 'ok' in payload && 'timings' in payload
}

/** What an invocation's result says, with the health report if there is one. */
export function describeInvocation(
  kind: SampleInvocation['kind'],
  result: InvocationResult,
  initMs = 0,
): SampleInvocation & { report: HealthReport | undefined } {
  const report = isHealthReport(result.payload) ? result.payload : undefined
  const failure = result.error && { code: result.error.errorType, message: result.error.errorMessage }
  const error = failure ?? report?.error
  return {
    kind,
    ok: result.ok && report?.ok === true,
    ms: rounded(result.ms + initMs),
    reused: report?.connection?.reused,
    backendPid: report?.connection?.backendPid,
    tls: report?.tls && { authorized: report.tls.authorized, protocol: report.tls.protocol },
    ...(error !== undefined && { error }),
    report,
  }
}

function describeConnection(report: HealthReport | undefined, opt: string): SampleReport['connection'] {
  const { host = '', port = 0, database = '', user = '' } = report?.connection ?? {}
  const sslrootcert = (report?.rootCertificate?.path ?? '').replace(opt, '/opt')
  const fields = { host, port, dbname: database, user, sslmode: 'verify-full', sslrootcert } as const
  const redacted =
    report?.connection === undefined ? '' : buildConnectionString({ ...fields, password: new Password('REDACTED') })
  return { redacted, host, database, sslmode: fields.sslmode, sslrootcert }
}

/** True when all invocations succeeded, on one session, over verified TLS. */
function isOneVerifiedSession(invocations: readonly SampleInvocation[]): boolean {
  const [cold, ...later] = invocations
  const isReused = later.every(({ reused, backendPid }) => reused === true && backendPid === cold?.backendPid)
  return isReused && invocations.every(({ ok, tls }) => ok && tls?.authorized === true)
}

/**
 * One cold invocation, some warm ones, a freeze and one more, in one execution environment.
 *
 * @param signal when aborted, no further invocation is made, and the promise rejects
 */
export async function runSample(
  stack: SampleStack,
  environment: ExecutionEnvironment,
  signal?: AbortSignal,
): Promise<SampleReport> {
  const described: ReturnType<typeof describeInvocation>[] = []
  const invoke = async (kind: SampleInvocation['kind'], initMs = 0) => {
    signal?.throwIfAborted()
    described.push(describeInvocation(kind, await environment.invoke({}), initMs))
  }
  await invoke('cold', environment.initMs)
  for (let turn = 0; turn < WARM_INVOCATIONS; turn += 1) await invoke('warm')
  await environment.freeze()
  await invoke('thawed')
  signal?.throwIfAborted()
  const invocations = described.map(({ report, ...invocation }) => invocation)
  const first = described.find(({ report }) => report?.connection !== undefined)?.report
  return {
    ok: isOneVerifiedSession(invocations),
    layer: stack.layer,
    connection: describeConnection(first, environment.opt),
    tls: first?.tls,
    invocations,
  }
}
