/** `cert check`: what a root certificate holds, and whether a server's chain ends in it. */
import { mergeParameters } from '../../src/connection/parameters.ts'
import { type RootCertificate, readRootCertificate } from '../../src/connection/root-certificate.ts'
import type { ResolvedConnection } from '../../src/connection/source.ts'
import type { CertificateReport } from '../../src/health-check.ts'
import { readSettings } from '../../src/settings/settings.ts'
import type { Run } from '../command.ts'
import type { Context } from '../context.ts'
import { failureOf } from '../doctor/failure.ts'
import { describeCertificates, Probe } from '../doctor/probe.ts'
import type { Failure } from '../doctor/report.ts'
import { reachServer } from '../doctor/steps.ts'
import { stepText, verdictText } from '../doctor/text.ts'
import { StepFailure, Walk } from '../doctor/walk.ts'
import { exitCodeOf, OK } from '../exit-codes.ts'
import { type Paint, paintFor, wrapped } from '../text.ts'
import { certificatesText } from './text.ts'

/** Of the environment, what names a root certificate: no secret is read. */
const VARIABLES = ['HOME', 'USERPROFILE', 'PGSSLROOTCERT', 'PGCONNECT_TIMEOUT', 'AWS_LAMBDA_FUNCTION_NAME']
/** Nothing is sent to it. */
const ANY_HOST = 'localhost'

interface CheckReport {
  readonly rootCertificate: readonly CertificateReport[]
  readonly rootCertificateOrigin: string
  /** What the server presents; absent without a host. */
  readonly presented?: readonly CertificateReport[]
  readonly failure?: Failure
}

function readConnection(walk: Walk, file: string | undefined, host: string | undefined, { environment }: Context) {
  const known = Object.fromEntries(Object.entries(environment).filter(([name]) => VARIABLES.includes(name)))
  return walk.step('root certificate', () => {
    const settings = readSettings({ host: host ?? ANY_HOST, user: 'nobody' }, known)
    const { parameters, sslrootcert } = mergeParameters(settings, {})
    const named = file === undefined ? sslrootcert : ({ value: file, origin: 'option' } as const)
    const rootCertificate = readRootCertificate(named, settings.platform, import.meta.dirname)
    const connection = {
      ...{ parameters, password: undefined, rootCertificate, clientCertificate: undefined },
      ...{ secret: undefined, isForSnapshot: false },
    }
    return { value: connection, saw: originOf(rootCertificate) }
  })
}

function originOf({ path, ca, origin }: RootCertificate): string {
  return ca === undefined ? "Node's own roots" : (path ?? origin)
}

/** @returns what ended the steps, if one failed */
async function reach(walk: Walk, connection: ResolvedConnection, probe: Probe): Promise<Failure | undefined> {
  try {
    await reachServer(walk, connection, probe)
    return undefined
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    const { parameters, rootCertificate } = connection
    return failureOf(error, { secretId: undefined, parameters, rootCertificate })
  }
}

function describe(report: CheckReport, paint: Paint): string[] {
  const { rootCertificate, rootCertificateOrigin, presented, failure } = report
  const expired = rootCertificate.filter(({ daysLeft }) => daysLeft < 0)
  return [
    ...wrapped(`the root certificate (${rootCertificateOrigin}):`, 2),
    ...certificatesText(rootCertificate, "Node's own roots"),
    ...(presented === undefined ? [] : ['  the server presents:', ...certificatesText(presented, 'nothing')]),
    ...expired.map(({ subject }) => `warning: ${subject} has expired`),
    ...(failure === undefined ? [] : [verdictText({ ok: false, steps: [], failure }, paint)]),
  ]
}

export const runCertCheck: Run = async (given, context) => {
  const { stdout, environment } = context
  const paint = paintFor(stdout, environment)
  const isJson = given.flag('json')
  const [file] = given.operands
  const host = given.value('host')
  const walk = new Walk((step) => {
    if (!isJson) stdout.write(`${stepText(step, paint)}\n`)
  })
  let failure: Failure | undefined
  let report: CheckReport | undefined
  try {
    const connection = await readConnection(walk, file, host, context)
    const { rootCertificate } = connection
    report = {
      rootCertificate: describeCertificates(rootCertificate.ca ?? [], Date.now()),
      rootCertificateOrigin: originOf(rootCertificate),
    }
    if (host !== undefined) {
      const probe = new Probe(connection)
      failure = await reach(walk, connection, probe)
      report = { ...report, presented: probe.presented }
    }
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    failure = failureOf(error, { secretId: undefined, parameters: undefined, rootCertificate: undefined })
  }
  const whole: CheckReport = {
    ...(report ?? { rootCertificate: [], rootCertificateOrigin: file ?? 'none' }),
    ...(failure !== undefined && { failure }),
  }
  const exitCode = failure === undefined ? OK : exitCodeOf(failure.code)
  if (isJson) stdout.write(`${JSON.stringify({ ok: failure === undefined, exitCode, ...whole }, null, 2)}\n`)
  else if (report !== undefined) stdout.write(`${describe(whole, paint).join('\n')}\n`)
  else if (failure !== undefined) stdout.write(`${verdictText({ ok: false, steps: [], failure }, paint)}\n`)
  return exitCode
}
