/** Row 12: Secrets Manager throttles, fails, is slow or down. */
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, errorsPerInjection } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'
import { LONG_MS } from './rotation.ts'

type Break = (stage: Stage) => void

const BREAKS = {
  throttles: ({ secretsManager }) => secretsManager.failWith('ThrottlingException'),
  fails: ({ secretsManager }) => secretsManager.failWith('InternalServiceError'),
  'is slow': ({ secretsManager, random }) => {
    secretsManager.delayMs = between(random, 1500, 6000)
  },
  'is down': ({ secretsManager }) => secretsManager.failWith('connection reset'),
} as const satisfies Readonly<Record<string, Break>>

function mend({ secretsManager }: Stage): void {
  secretsManager.failWith(undefined)
  secretsManager.delayMs = 0
}

/** While it fails: a call on the open connection, one that opens a new one, and one on that. */
function whileWarm(id: string, fault: keyof typeof BREAKS): FaultRow {
  return {
    id,
    fault: `Secrets Manager ${fault} while warm`,
    caller: 'the answer; a new connection is opened with the password that is known',
    database: 'every write once',
    isSlow: fault === 'is slow',
    settings: { timeoutSeconds: 3 },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      BREAKS[fault](stage)
      const requestsBefore = stage.secretsManager.requests.length
      await stage.write(environment)
      if (stage.secretsManager.requests.length > requestsBefore)
        stage.findings.push('a warm call asked Secrets Manager')
      // Too old to be used again, connection and secret both; not cut off, which would break the peers for row 1's reason.
      await environment.freeze()
      await stage.write(environment, { advanceMs: between(stage.random, ...LONG_MS) })
      await stage.write(environment)
      mend(stage)
    },
    brokenPromises: allAnswered,
  }
}

export const SECRETS_MANAGER_ROWS: readonly FaultRow[] = [
  whileWarm('12a', 'throttles'),
  whileWarm('12b', 'fails'),
  whileWarm('12c', 'is slow'),
  whileWarm('12d', 'is down'),
  {
    id: '12e',
    fault: 'Secrets Manager throttles, fails, is down or silent at a cold start',
    caller: 'ERR_SECRET_UNAVAILABLE in time; the answer as soon as it is back',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { timeoutSeconds: 3 },
    inject: async (stage) => {
      const faults = ['throttles', 'fails', 'is slow', 'is down'] as const
      const fault = faults[stage.tally.injected % faults.length] ?? 'is down'
      BREAKS[fault](stage)
      if (fault === 'is slow') stage.secretsManager.delayMs = 10_000
      const environment = await stage.startEnvironment()
      await stage.write(environment)
      mend(stage)
      const answer = await stage.write(environment)
      if (!answer?.ok) stage.findings.push('no answer though Secrets Manager is back')
      await environment.shutdown()
    },
    brokenPromises: errorsPerInjection(1, 'ERR_SECRET_UNAVAILABLE'),
  },
]
