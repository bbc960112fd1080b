/** Row 23: logins by a token of STS, which throttles, fails, is slow or down, or has another time; and tokens that are refused. */
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, errorsPerInjection } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'

/** Longer than a token lasts. */
const LONG_MS = [310_000, 900_000] as const
const SETTINGS = { auth: 'jwt', timeoutSeconds: 8 } as const

/** A call after a freeze: the clocks of all others have gone on as well. */
async function writeAfterFreeze(stage: Stage, advanceMs: number): Promise<void> {
  const environment = await stage.sharedEnvironment()
  await environment.freeze()
  stage.tokenLogin.sts.clockAheadMs += advanceMs
  stage.tokenLogin.cluster.clockAheadMs += advanceMs
  await stage.write(environment, { advanceMs })
}

/** The last connection is lost, so that the next call needs a new one. */
async function loseConnection({ cloud }: Stage): Promise<void> {
  await Promise.all(cloud.connections.map((connection) => connection.end()))
}

async function expectLogins(stage: Stage, most: number, inject: () => Promise<void>): Promise<void> {
  const before = stage.cloud.counts.logins
  await inject()
  const logins = stage.cloud.counts.logins - before
  if (logins > most) stage.findings.push(`${logins} logins instead of at most ${most}`)
}

export const TOKEN_ROWS: readonly FaultRow[] = [
  {
    id: '23a',
    fault: 'login by token: frozen for longer than the token lasts, connection lost meanwhile',
    caller: 'the answer, on a new connection with a new token',
    database: 'every write once; no login with a token that has ended',
    hasPeers: false,
    settings: SETTINGS,
    inject: (stage) =>
      expectLogins(stage, stage.tally.injected === 1 ? 2 : 1, async () => {
        if (stage.tally.injected === 1) await stage.write(await stage.sharedEnvironment())
        const { tokens } = stage.tokenLogin.sts
        const before = tokens.length
        await loseConnection(stage)
        await writeAfterFreeze(stage, between(stage.random, ...LONG_MS))
        if (tokens.length !== before + 1) stage.findings.push(`${tokens.length - before} tokens instead of one`)
      }),
    brokenPromises: allAnswered,
  },
  {
    id: '23b',
    fault: 'login by token: STS throttles, fails, resets connections or is slow for a moment',
    caller: 'the answer',
    database: 'every write once',
    hasPeers: false,
    settings: SETTINGS,
    inject: async (stage) => {
      const { sts } = stage.tokenLogin
      const faults = ['Throttling', 'InternalFailure', 'connection reset', undefined] as const
      const fault = faults[stage.tally.injected % faults.length]
      if (fault === undefined) sts.delayMs = between(stage.random, 500, 1500)
      else sts.failNext(between(stage.random, 1, 2), fault)
      const environment = await stage.startEnvironment()
      await stage.write(environment)
      sts.delayMs = 0
      await environment.shutdown()
    },
    brokenPromises: allAnswered,
  },
  {
    id: '23c',
    fault: 'login by token: STS throttles, fails or is silent, with a connection open and with none',
    caller:
      'the answer on the open connection; ERR_PASSWORD_UNAVAILABLE in time on a new one; the answer as soon as STS is back',
    database: 'every acknowledged write once',
    isSlow: true,
    hasPeers: false,
    settings: SETTINGS,
    inject: async (stage) => {
      const { sts } = stage.tokenLogin
      const faults = ['Throttling', 'ServiceUnavailable', 'silence'] as const
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      sts.failWith(faults[stage.tally.injected % faults.length])
      await stage.write(environment)
      await loseConnection(stage)
      await writeAfterFreeze(stage, between(stage.random, ...LONG_MS))
      sts.failWith(undefined)
      await stage.write(environment)
    },
    brokenPromises: errorsPerInjection(1, 'ERR_PASSWORD_UNAVAILABLE'),
  },
  {
    id: '23d',
    fault: 'login by token: the clock of the function is wrong by ten minutes, then right',
    caller: 'ERR_PASSWORD_UNAVAILABLE; then the answer',
    database: 'every acknowledged write once',
    hasPeers: false,
    settings: SETTINGS,
    inject: async (stage) => {
      const { sts } = stage.tokenLogin
      sts.clockAheadMs = (stage.random() < 0.5 ? -1 : 1) * 600_000
      const environment = await stage.startEnvironment()
      await stage.write(environment)
      sts.clockAheadMs = 0
      await stage.write(environment)
      await environment.shutdown()
    },
    brokenPromises: errorsPerInjection(1, 'ERR_PASSWORD_UNAVAILABLE'),
  },
  {
    id: '23e',
    fault: 'login by token: the issuer has replaced its key, so that the token in use is refused',
    caller: 'the answer, with a new token',
    database: 'every write once; one refused login',
    hasPeers: false,
    settings: SETTINGS,
    inject: async (stage) => {
      const environment = await stage.startEnvironment()
      await stage.write(environment)
      await stage.tokenLogin.sts.issuer.replaceKey()
      await loseConnection(stage)
      await expectLogins(stage, 2, async () => {
        await stage.write(environment)
      })
      await environment.shutdown()
    },
    brokenPromises: allAnswered,
  },
  {
    id: '23f',
    fault: 'login by token: the cluster does not accept the audience, five calls',
    caller: 'ERR_AUTHENTICATION at once',
    database: 'nothing; one refused login for each environment, whatever the token',
    hasPeers: false,
    settings: SETTINGS,
    inject: async (stage) => {
      const { settings } = stage.tokenLogin.cluster
      const { audiences } = settings
      settings.audiences = ['another']
      const environment = await stage.startEnvironment()
      await expectLogins(stage, 1, async () => {
        for (let call = 0; call < 5; call += 1) await stage.write(environment)
      })
      settings.audiences = audiences
      await environment.shutdown()
    },
    brokenPromises: errorsPerInjection(5, 'ERR_AUTHENTICATION'),
  },
]
