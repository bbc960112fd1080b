/** `doctor --function NAME`: the walk from here, and the health report of a deployed function beside it. */
import { ConnectionError } from '../../src/base/connection-error.ts'
import { foreignError, foreignText } from '../../src/base/foreign-text.ts'
import type { HealthReport } from '../../src/health-check.ts'
import type { Context } from '../context.ts'
import { exitCodeOf, OK } from '../exit-codes.ts'
import { type Paint, wrapped } from '../text.ts'
import { failureOf } from './failure.ts'
import { readHealthReport, sideBySide } from './function-report.ts'
import type { DoctorReport, Failure } from './report.ts'
import { verdictText } from './text.ts'
import { StepFailure } from './walk.ts'

interface FunctionReport {
  readonly name: string
  readonly health?: HealthReport
  readonly failure?: Failure
}

/** @throws ConnectionError when it cannot be invoked, fails, or answers something else */
async function healthOf(name: string): Promise<HealthReport> {
  const { invokeFunction } = await import('./invoke-function.ts')
  const { text, hasFailed } = await invokeFunction(name).catch((error: unknown) => {
    const cause = foreignError(error)
    throw new ConnectionError('ERR_CONNECT', `Invoke ${name} failed: ${cause.name}: ${cause.message}`, { cause })
  })
  if (!hasFailed) return readHealthReport(text, name)
  throw new ConnectionError('ERR_CONNECT', `the function ${name} failed: ${foreignText(text)}`)
}

/** A failure inside of the function is explained as one from here is. */
async function askFunction(name: string, secretId: string | undefined): Promise<FunctionReport> {
  const circumstances = { secretId, parameters: undefined, rootCertificate: undefined }
  const explained = (error: unknown) => failureOf(new StepFailure('first query', error), circumstances)
  try {
    const health = await healthOf(name)
    return { name, health, ...(!health.ok && { failure: explained(health.error ?? {}) }) }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error
    return { name, failure: explained(error) }
  }
}

/** The report from here as a function would give it. */
function asHealth({ ok, health, failure }: DoctorReport): HealthReport {
  if (health !== undefined) return health
  const error = failure && { code: failure.code, message: failure.saw, hint: failure.why }
  return { ok, timings: { totalMs: 0 }, ...(error !== undefined && { error }) }
}

/** Prints the function's part, and decides the exit code of both. */
export async function reportFunction(
  name: string,
  here: DoctorReport | undefined,
  secretId: string | undefined,
  { stdout }: Pick<Context, 'stdout'>,
  paint: Paint | undefined,
): Promise<number> {
  const there = await askFunction(name, secretId)
  const failure = there.failure ?? here?.failure
  const exitCode = failure === undefined ? OK : exitCodeOf(failure.code)
  if (paint === undefined) {
    stdout.write(`${JSON.stringify({ exitCode, here, function: there }, null, 2)}\n`)
    return exitCode
  }
  const lines = [
    '',
    `The function ${name}:`,
    ...(there.health === undefined ? wrapped(there.failure?.saw ?? '', 2) : []),
    ...(there.health === undefined ? [] : sideBySide(here && asHealth(here), there.health)),
    verdictText(
      { ok: there.failure === undefined, steps: [], ...(there.failure && { failure: there.failure }) },
      paint,
    ),
  ]
  stdout.write(`${lines.join('\n')}\n`)
  return exitCode
}
