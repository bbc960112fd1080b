/** `secret put`: checks a secret as the doctor does, and stores it. */
import type { Arguments, Run } from '../command.ts'
import type { Context } from '../context.ts'
import { examine } from '../doctor/examine.ts'
import { stepText, verdictText } from '../doctor/text.ts'
import { StepFailure } from '../doctor/walk.ts'
import { exitCodeOf, INTERRUPTED, OK } from '../exit-codes.ts'
import { orExplain } from '../failing.ts'
import { readStandardInput } from '../standard-input.ts'
import { type Paint, paintFor } from '../text.ts'
import { putSecretValue } from './put-value.ts'
import { requiredSecretId } from './secret-id.ts'
import { shownFields, storedFields } from './stored-value.ts'

async function readText(context: Context): Promise<string | undefined> {
  if (context.stdin.isTTY !== true) return readStandardInput(context)
  const { promptForSecret } = await import('./prompt.ts')
  return promptForSecret('Connection string, or the value of the secret:', context)
}

async function store(given: Arguments, { stdout }: Context, secretId: string, fields: ReturnType<typeof storedFields>) {
  const shown = JSON.stringify(shownFields(fields), null, 2)
  if (given.flag('dry-run')) {
    stdout.write(`Nothing is stored, for this is a dry run. The value would be\n${shown}\n`)
    return OK
  }
  const versionId = await putSecretValue(secretId, fields).catch((error: unknown) => {
    throw new StepFailure('secret', error)
  })
  stdout.write(`Stored in ${secretId} as version ${versionId}:\n${shown}\n`)
  stdout.write(`Next: npx cockroach-lambda doctor --secret-id ${secretId}\n`)
  return OK
}

export const runSecretPut: Run = async (given, context) => {
  const { stdout, environment } = context
  const secretId = requiredSecretId(given, context)
  const text = await readText(context)
  if (text === undefined) return INTERRUPTED
  const paint: Paint = paintFor(stdout, environment)
  const { report, read } = await examine({ secretId, text }, environment, (step) => {
    stdout.write(`${stepText(step, paint)}\n`)
  })
  if (report.failure !== undefined || read === undefined) {
    stdout.write(`${verdictText(report, paint)}\nNothing was stored.\n`)
    return exitCodeOf(report.failure?.code ?? '')
  }
  return orExplain(context, secretId, () => store(given, context, secretId, storedFields(read)))
}
