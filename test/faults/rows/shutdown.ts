/** Row 18: the execution environment ends, and the server gets no FIN from it. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered } from '../promises.ts'
import type { Stage } from '../stage.ts'

const EXTENSION_LAYER = join(import.meta.dirname, '../../fixtures/lambda/extension-layer')
const STATEMENT = 'select pg_sleep(60)'
/** What Lambda leaves between SIGTERM and SIGKILL, with an external extension beside the function. */
const SHUTDOWN_MS = 300
/** The server may need this long to act upon what was sent in time. */
const SERVER_MS = 2000

async function until(condition: () => Promise<boolean>, limitMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > giveUpAt) return false
    await sleep(10)
  }
  return true
}

/**
 * A virtual machine that is gone sends no FIN. Here the system would send it for a killed process, so at SIGKILL, and at
 * the latest 300 ms after SIGTERM, every connection becomes a black hole: only what the function sent before counts.
 */
async function vanish(stage: Stage, isBusy: boolean): Promise<void> {
  const { cloud, postgres, user } = stage
  const loseAll = () => cloud.blackHoleAll()
  const environment = await stage.startEnvironment({ onKill: loseAll })
  await stage.write(environment)
  if (isBusy) {
    await stage.invoke(environment, { op: 'unawaited', text: STATEMENT })
    const isRunning = async () => (await postgres.sessions({ user })).some(({ query }) => query === STATEMENT)
    if (!(await until(isRunning, SERVER_MS))) stage.findings.push('the statement did not start')
  }
  if (stage.random() < 0.5) await environment.freeze()
  const timer = setTimeout(loseAll, SHUTDOWN_MS)
  await environment.shutdown()
  clearTimeout(timer)
  const isOver = async () => (await postgres.sessions({ user })).length === 0
  if (!(await until(isOver, SERVER_MS))) stage.findings.push('sessions stayed at the server')
  await postgres.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [user])
}

interface Variant {
  readonly id: string
  readonly what: string
  readonly isCommonJs?: boolean
  readonly hasExtension?: boolean
  readonly isBusy?: boolean
}

const VARIANTS: readonly Variant[] = [
  { id: '18a', what: 'ES module' },
  { id: '18b', what: 'CommonJS', isCommonJs: true },
  { id: '18c', what: 'ES module, another extension beside it', hasExtension: true },
  { id: '18d', what: 'CommonJS, another extension beside it', isCommonJs: true, hasExtension: true },
  { id: '18e', what: 'a statement under way', isBusy: true },
  { id: '18f', what: 'a statement under way, another extension beside it', isBusy: true, hasExtension: true },
]

export const SHUTDOWN_ROWS: readonly FaultRow[] = VARIANTS.map(
  ({ id, what, isCommonJs = false, hasExtension = false, isBusy = false }) => ({
    id,
    fault: `the environment ends with SIGTERM: ${what}`,
    caller: 'nothing',
    database: 'no session 300 ms later, every acknowledged write once',
    isSlow: true,
    hasPeers: !isCommonJs,
    settings: {
      environment: { COCKROACH_GRACEFUL_SHUTDOWN: 'true' },
      handler: isCommonJs ? 'commonjs.handler' : 'index.handler',
      layers: hasExtension ? [EXTENSION_LAYER] : [],
    },
    inject: (stage) => vanish(stage, isBusy),
    brokenPromises: allAnswered,
  }),
)
