/** Row 22: SnapStart, where what init made comes back in every restored environment. */
import type { FaultRow } from '../fault-row.ts'
import { allAnswered } from '../promises.ts'
import type { Stage } from '../stage.ts'
import { rotate } from './rotation.ts'

/** Takes the snapshot, changes the password, restores; then a first call, and one on its connection. */
async function restore(stage: Stage, handler: string, check: () => void): Promise<void> {
  const { secretsManager } = stage
  const environment = await stage.startEnvironment({ handler, initializationType: 'snap-start' })
  check()
  // The server learns that a session was ended a moment later.
  if (!(await stage.untilSessions((sessions) => sessions.length === 0)))
    stage.findings.push('a connection is in the snapshot')
  await rotate(stage)
  const [requests, { authOk }] = [secretsManager.requests.length, stage.cloud.counts]
  // The clocks say nothing of a restore: both are the snapshot's for a moment.
  await stage.write(environment)
  if (secretsManager.requests.length === requests) stage.findings.push('the secret of the snapshot was used')
  await stage.write(environment)
  if (stage.cloud.counts.authOk !== authOk + 1) stage.findings.push('the second call opened a connection of its own')
  if (environment.coldStarts !== 1)
    stage.findings.push(`init ran ${environment.coldStarts} times: ${environment.output}`)
  await environment.shutdown()
}

export const SNAPSHOT_ROWS: readonly FaultRow[] = [
  {
    id: '22a',
    fault: 'SnapStart: ready() before the snapshot, password rotated, restored',
    caller: 'the answer, with the new password',
    database: 'every write once; before the snapshot nothing is connected, and no secret is read',
    hasPeers: false,
    inject: async (stage) => {
      const [requests, { tcp }] = [stage.secretsManager.requests.length, stage.cloud.counts]
      const check = () => {
        if (stage.cloud.counts.tcp !== tcp || stage.secretsManager.requests.length !== requests)
          stage.findings.push('init connected, or read the secret')
      }
      const handler = stage.tally.injected % 2 === 0 ? 'ready.handler' : 'readyAsThen.handler'
      await restore(stage, handler, check)
    },
    brokenPromises: allAnswered,
  },
  {
    id: '22b',
    fault: 'SnapStart: statements before the snapshot, password rotated, restored through restore/next',
    caller: 'the answer, with the new password',
    database: 'every write once; the connections of init are closed before the snapshot',
    hasPeers: false,
    inject: (stage) => restore(stage, 'snapshot.handler', () => undefined),
    brokenPromises: allAnswered,
  },
]
