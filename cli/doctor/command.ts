/** `doctor` */
import { type Run, UsageError } from '../command.ts'
import { exitCodeOf, OK } from '../exit-codes.ts'
import { readStandardInput } from '../standard-input.ts'
import { paintFor } from '../text.ts'
import { examine } from './examine.ts'
import { stepText, verdictText } from './text.ts'

export const runDoctor: Run = async (given, context) => {
  const { stdout, environment } = context
  const [url, secretId] = [given.value('url'), given.value('secret-id')]
  if (url !== undefined && url !== '-')
    throw new UsageError('--url has one value, -: the text is read from standard input')
  if (url !== undefined && secretId !== undefined) throw new UsageError('give --secret-id or --url, not both')
  const text = url === undefined ? undefined : await readStandardInput(context)
  const isJson = given.flag('json')
  const paint = paintFor(stdout, environment)
  const { report } = await examine({ secretId, text }, environment, (step) => {
    if (!isJson) stdout.write(`${stepText(step, paint)}\n`)
  })
  const exitCode = report.failure === undefined ? OK : exitCodeOf(report.failure.code)
  stdout.write(isJson ? `${JSON.stringify({ exitCode, ...report }, null, 2)}\n` : `${verdictText(report, paint)}\n`)
  return exitCode
}
