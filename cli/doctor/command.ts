/** `doctor` */
import { type Arguments, type Run, UsageError } from '../command.ts'
import type { Context } from '../context.ts'
import { exitCodeOf, OK } from '../exit-codes.ts'
import { readStandardInput } from '../standard-input.ts'
import { paintFor } from '../text.ts'
import { examine } from './examine.ts'
import type { Subject } from './subject.ts'
import { stepText, verdictText } from './text.ts'

/** @throws UsageError */
async function readSubjectOf(given: Arguments, context: Context): Promise<Subject> {
  const [url, secretId] = [given.value('url'), given.value('secret-id')]
  if (url !== undefined && url !== '-')
    throw new UsageError('--url has one value, -: the text is read from standard input')
  if (url !== undefined && secretId !== undefined) throw new UsageError('give --secret-id or --url, not both')
  return { secretId, text: url === undefined ? undefined : await readStandardInput(context) }
}

/** Beside a function, there need be nothing to examine here. */
function namesNothing({ secretId, text }: Subject, { environment }: Context): boolean {
  const names = ['COCKROACH_SECRET_ID', 'DATABASE_URL', 'PGHOST']
  return secretId === undefined && text === undefined && !names.some((name) => environment[name])
}

export const runDoctor: Run = async (given, context) => {
  const { stdout, environment } = context
  const subject = await readSubjectOf(given, context)
  const functionName = given.value('function')
  const isJson = given.flag('json')
  const paint = paintFor(stdout, environment)
  const write = (text: string): void => {
    if (!isJson) stdout.write(`${text}\n`)
  }
  const isSkipped = functionName !== undefined && namesNothing(subject, context)
  const report = isSkipped
    ? undefined
    : (await examine(subject, environment, (step) => write(stepText(step, paint)))).report
  if (report !== undefined) write(verdictText(report, paint))
  if (functionName !== undefined) {
    if (isSkipped) write('Nothing is examined from here: name the secret with --secret-id to compare.')
    const { reportFunction } = await import('./function.ts')
    const secretId = subject.secretId ?? environment.COCKROACH_SECRET_ID
    return reportFunction(functionName, report, secretId, context, isJson ? undefined : paint)
  }
  const exitCode = report?.failure === undefined ? OK : exitCodeOf(report.failure.code)
  if (isJson) stdout.write(`${JSON.stringify({ exitCode, ...report }, null, 2)}\n`)
  return exitCode
}
