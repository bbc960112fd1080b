/** Ends a command whose walk has failed, as the doctor does. */
import type { Context } from './context.ts'
import { failureOf } from './doctor/failure.ts'
import type { Circumstances } from './doctor/remedies/remedy.ts'
import { verdictText } from './doctor/text.ts'
import { StepFailure } from './doctor/walk.ts'
import { exitCodeOf } from './exit-codes.ts'
import { paintFor, wrapped } from './text.ts'

const NOTHING_KNOWN: Circumstances = { secretId: undefined, parameters: undefined, rootCertificate: undefined }

/** Runs `work`; a step that fails is described on stderr, with its remedy. @returns the exit code */
export async function orExplain(
  { stderr, environment }: Context,
  secretId: string | undefined,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    const failure = failureOf(error, { ...NOTHING_KNOWN, secretId })
    const paint = paintFor(stderr, environment)
    stderr.write(`${wrapped(failure.saw).join('\n')}\n${verdictText({ ok: false, steps: [], failure }, paint)}\n`)
    return exitCodeOf(failure.code)
  }
}
