/** Row 21: functions that wait for a connection while init runs, with `ready()`, and what goes wrong meanwhile. */
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, errorsPerInjection } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage, StageEnvironmentOptions } from '../stage.ts'
import { newPassword } from './rotation.ts'

/** An ES module with `await ready()`, and CommonJS with `exports.then = ready`. */
const HANDLERS = ['ready.handler', 'readyAsThen.handler'] as const
const TIMEOUT_SECONDS = 8
/** Less than a connection that gets no answer is waited for. */
const READY_MS = 700
/** For a process to start and to load its modules, on a busy machine. */
const START_MS = 5000
const TEN_MINUTES_MS = 600_000
const SHUTTING_DOWN = { sqlstate: '57P03', message: 'the database system is shutting down' }
const MOST_LOGINS = 3

/** Starts a function whose init waits in `ready()`; finds out whether init ended at the first attempt, and in time. */
async function startReady(stage: Stage, options: StageEnvironmentOptions = {}): Promise<ExecutionEnvironment> {
  const handler = HANDLERS[stage.tally.injected % HANDLERS.length] ?? HANDLERS[0]
  const environment = await stage.startEnvironment({
    handler,
    ...options,
    environment: { COCKROACH_READY_TIMEOUT_MS: String(READY_MS) },
  })
  if (environment.pid === undefined) stage.findings.push(`init failed: ${environment.output}`)
  if (environment.initMs > START_MS + READY_MS) stage.findings.push(`init took ${environment.initMs} ms`)
  return environment
}

/** Ends it, unless init had to be run again. */
async function end(stage: Stage, environment: ExecutionEnvironment): Promise<void> {
  if (environment.coldStarts !== 1) stage.findings.push(`init ran ${environment.coldStarts} times`)
  await environment.shutdown()
}

/** Init and one call while it is broken, one call as soon as it is mended. */
async function whileBroken(stage: Stage, breakIt: () => unknown, mend: () => unknown): Promise<void> {
  await breakIt()
  const environment = await startReady(stage)
  await stage.write(environment)
  await mend()
  const answer = await stage.write(environment)
  if (!answer?.ok) stage.findings.push(`no answer though it was mended: ${answer?.error.message}`)
  await end(stage, environment)
}

export const READY_ROWS: readonly FaultRow[] = [
  {
    id: '21a',
    fault: 'ready() during init, nothing wrong',
    caller: 'the answer, on the connection that init opened',
    database: 'every write once; one login for each environment',
    hasPeers: false,
    inject: async (stage) => {
      const { logins, authOk } = stage.cloud.counts
      const environment = await startReady(stage)
      if (stage.cloud.counts.authOk !== authOk + 1) stage.findings.push('init ended without a connection')
      await stage.write(environment)
      if (stage.cloud.counts.logins !== logins + 1) stage.findings.push('the first call logged in anew')
      await end(stage, environment)
    },
    brokenPromises: allAnswered,
  },
  {
    id: '21b',
    fault: 'database down during ready() and the first call',
    caller: 'ERR_CONNECT or ERR_SERVER_REFUSED in time; the answer as soon as it is up',
    database: 'every acknowledged write once; init neither fails nor waits',
    hasPeers: false,
    isSlow: true,
    settings: { timeoutSeconds: 3 },
    inject: async (stage) => {
      const down = between(stage.random, 0, 1) === 0 ? 'rst' : SHUTTING_DOWN
      await whileBroken(
        stage,
        () => {
          stage.cloud.refuse = down
        },
        () => {
          stage.cloud.refuse = undefined
        },
      )
    },
    brokenPromises: errorsPerInjection(1, 'ERR_CONNECT', 'ERR_SERVER_REFUSED'),
  },
  {
    id: '21c',
    fault: 'database accepts and sends nothing during ready(), then answers',
    caller: 'the answer, on another connection',
    database: 'every write once; init does not fail',
    hasPeers: false,
    isSlow: true,
    settings: { timeoutSeconds: TIMEOUT_SECONDS },
    inject: async (stage) => {
      stage.cloud.refuse = 'silence'
      const environment = await startReady(stage)
      stage.cloud.refuse = undefined
      await stage.write(environment)
      await end(stage, environment)
    },
    brokenPromises: allAnswered,
  },
  {
    id: '21d',
    fault: 'database logs in more slowly than ready() waits',
    caller: 'the answer, on the connection that init began',
    database: 'every write once; one login for each environment; init does not fail',
    hasPeers: false,
    isSlow: true,
    settings: { timeoutSeconds: TIMEOUT_SECONDS },
    inject: async (stage) => {
      const { tcp } = stage.cloud.counts
      stage.cloud.trickle = { bytes: 100, pauseMs: between(stage.random, 40, 60) }
      const environment = await startReady(stage)
      await stage.write(environment)
      stage.cloud.trickle = undefined
      if (stage.cloud.counts.tcp !== tcp + 1) stage.findings.push('the first call opened a connection of its own')
      await end(stage, environment)
    },
    brokenPromises: allAnswered,
  },
  {
    id: '21e',
    fault: 'Secrets Manager fails, is down or silent during ready() and the first call',
    caller: 'ERR_SECRET_UNAVAILABLE in time; the answer as soon as it is back',
    database: 'every acknowledged write once; init does not fail',
    hasPeers: false,
    isSlow: true,
    settings: { timeoutSeconds: 3 },
    inject: async (stage) => {
      const { secretsManager } = stage
      const kind = between(stage.random, 0, 2)
      await whileBroken(
        stage,
        () => {
          if (kind === 0) secretsManager.failWith('InternalServiceError')
          if (kind === 1) secretsManager.failWith('connection reset')
          if (kind === 2) secretsManager.delayMs = 10_000
        },
        () => {
          secretsManager.failWith(undefined)
          secretsManager.delayMs = 0
        },
      )
    },
    brokenPromises: errorsPerInjection(1, 'ERR_SECRET_UNAVAILABLE'),
  },
  {
    id: '21f',
    fault: 'wrong password during ready() and the first call, then corrected in the secret',
    caller: 'ERR_AUTHENTICATION; the answer with the corrected secret',
    database: 'every acknowledged write once; at most three logins for each environment until then',
    hasPeers: false,
    inject: async (stage) => {
      const { logins } = stage.cloud.counts
      const password = newPassword()
      await stage.changePassword(password)
      const environment = await startReady(stage)
      await stage.write(environment)
      if (stage.cloud.counts.logins - logins > MOST_LOGINS) stage.findings.push(`more than ${MOST_LOGINS} logins`)
      stage.secretsManager.secrets.put(stage.secretId, stage.secretText({ password }))
      // A blocked login looks for a corrected secret once a second.
      await stage.write(environment, { advanceMs: between(stage.random, 1500, 5000) })
      await end(stage, environment)
    },
    brokenPromises: errorsPerInjection(1, 'ERR_AUTHENTICATION'),
  },
  {
    id: '21g',
    fault: 'provisioned concurrency: ready(), then frozen for ten minutes, connection lost without FIN or RST',
    caller: 'the answer, on a new connection',
    database: 'every write once',
    hasPeers: false,
    inject: async (stage) => {
      const environment = await startReady(stage, { initializationType: 'provisioned-concurrency' })
      await environment.freeze()
      for (const connection of stage.cloud.connections) connection.blackHole()
      await stage.write(environment, { advanceMs: TEN_MINUTES_MS })
      await end(stage, environment)
    },
    brokenPromises: allAnswered,
  },
  {
    id: '21h',
    fault: 'Managed Instances: ready() in one to three worker threads',
    caller: 'the answer',
    database: 'every write once; a connection for each worker when init ends',
    hasPeers: false,
    isSlow: true,
    inject: async (stage) => {
      // As many invocations as workers: each asks for one at a time under AWS's client, which blocks a thread of Node's
      // pool in each, and there are four.
      const workerCount = between(stage.random, 1, 3)
      const { authOk } = stage.cloud.counts
      const managed = { maxConcurrency: workerCount, workerCount }
      const environment = await startReady(stage, { handler: 'ready.handler', ...managed })
      const opened = stage.cloud.counts.authOk - authOk
      if (opened !== workerCount) stage.findings.push(`${opened} connections for ${workerCount} workers`)
      await Promise.all(Array.from({ length: workerCount }, () => stage.write(environment)))
      await end(stage, environment)
    },
    brokenPromises: allAnswered,
  },
]
