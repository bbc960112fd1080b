/** Row 11: the secret's password is wrong and stays wrong; CockroachDB Cloud would throttle every client behind the address. */
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'
import { newPassword, rotate } from './rotation.ts'

const MINUTE_MS = 60_000
const MOST_LOGINS = 3
const LONGEST_PAUSE_MS = 15 * MINUTE_MS
/** As this package and as the server names it. */
const REFUSALS = ['ERR_AUTHENTICATION', '28P01']

/** A new environment, whose password the server refuses. */
async function startWithWrongPassword(stage: Stage): Promise<ExecutionEnvironment> {
  await stage.changePassword(newPassword())
  return stage.startEnvironment()
}

function brokenUnlessRefused({ tally }: Stage): string[] {
  const others = [...tally.errors].filter(([code]) => !REFUSALS.includes(code))
  return others.map(([code, count]) => `callers saw ${count} x ${code}`)
}

/** Every call failed, because the password is wrong. */
function onlyRefusals(stage: Stage): string[] {
  const { answered } = stage.tally
  return [...brokenUnlessRefused(stage), ...(answered > 0 ? [`${answered} calls were answered`] : [])]
}

/** Each pause between two logins is twice as long as the one before, up to 15 minutes. */
function isGrowing(loginTimes: readonly number[]): boolean {
  const pauses = loginTimes.slice(1).map((at, index) => at - (loginTimes[index] ?? 0))
  return pauses.every((pause, index) => pause >= Math.min(LONGEST_PAUSE_MS, MINUTE_MS * 2 ** index))
}

export const WRONG_PASSWORD_ROWS: readonly FaultRow[] = [
  {
    id: '11a',
    fault: 'wrong password, called often within a minute',
    caller: 'ERR_AUTHENTICATION, at once',
    database: 'nothing; at most three logins for each environment',
    inject: async (stage) => {
      const { secrets } = stage.secretsManager
      // A rotation that went wrong leaves a second wrong one.
      if (stage.random() < 0.5)
        secrets.put(stage.secretId, stage.secretText({ password: newPassword() }), { stages: ['AWSPENDING'] })
      const loginsBefore = stage.cloud.counts.logins
      const environment = await startWithWrongPassword(stage)
      const calls = between(stage.random, 6, 12)
      for (let call = 0; call < calls; call += 1) {
        await stage.write(environment, { advanceMs: between(stage.random, 0, 4000) })
      }
      await environment.shutdown()
      const logins = stage.cloud.counts.logins - loginsBefore
      if (logins > MOST_LOGINS) stage.findings.push(`more than ${MOST_LOGINS} logins in a minute`)
    },
    brokenPromises: onlyRefusals,
  },
  {
    id: '11b',
    fault: 'wrong password, called every minute for half an hour',
    caller: 'ERR_AUTHENTICATION, at once',
    database: 'nothing; a login after 1, 2, 4, 8 and 15 minutes',
    inject: async (stage) => {
      const environment = await startWithWrongPassword(stage)
      const loginTimes: number[] = []
      let advancedMs = 0
      for (let call = 0; call < 30; call += 1) {
        const advanceMs = call === 0 ? 0 : between(stage.random, 45_000, 75_000)
        advancedMs += advanceMs
        const known = call === 0 ? 0 : stage.cloud.counts.logins
        await stage.write(environment, { advanceMs })
        const at = stage.cloud.loginTimes.slice(known).at(-1)
        if (at !== undefined) loginTimes.push(at + advancedMs)
      }
      await environment.shutdown()
      if (!isGrowing(loginTimes)) stage.findings.push('the pauses between logins do not grow')
    },
    brokenPromises: onlyRefusals,
  },
  {
    id: '11c',
    fault: 'wrong password, then the secret is corrected',
    caller: 'ERR_AUTHENTICATION, and the answer within a second of the correction',
    database: 'every acknowledged write once',
    inject: async (stage) => {
      const environment = await startWithWrongPassword(stage)
      const calls = between(stage.random, 1, 5)
      for (let call = 0; call < calls; call += 1) await stage.write(environment)
      await rotate(stage)
      const answer = await stage.write(environment, { advanceMs: 1000 })
      if (!answer?.ok) stage.findings.push('the corrected secret was not used')
      await environment.shutdown()
    },
    brokenPromises: brokenUnlessRefused,
  },
]
