/** The faults that a soak mixes: each is injected, lasts for a moment, and is undone. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import type { ProxiedConnection, Refuse } from '../../../local/cloud/stand-in.ts'
import type { PostgresServer } from '../../../local/postgres/server.ts'
import type { SecretsManagerFault } from '../../../local/secrets-manager/stand-in.ts'
import { between, type Random } from '../random.ts'
import type { Stage } from '../stage.ts'

interface SoakFault {
  readonly name: string
  /** What it changes: two faults that change the same part do not overlap. */
  readonly part: 'connections' | 'messages' | 'latency' | 'trickle' | 'front' | 'database' | 'secrets manager'
  inflict(scene: Scene): Promise<void>
}

/** What faults act upon. */
interface Scene {
  readonly stage: Stage
  readonly server: PostgresServer
  readonly random: Random
}

const REFUSALS: readonly Refuse[] = [
  { sqlstate: '57P03', message: 'the database system is shutting down' },
  { sqlstate: '53300', message: 'sorry, too many clients already' },
  'silence',
  'rst',
  'tls',
]
const SECRETS_MANAGER_FAULTS: readonly SecretsManagerFault[] = [
  'ThrottlingException',
  'InternalServiceError',
  'connection reset',
]

/** Query, Parse: what a statement begins with. */
const STATEMENT = ['Q', 'P']
/** The server has done it. */
const COMMAND_COMPLETE = 'C'

export function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[between(random, 0, values.length - 1)]
  if (value === undefined) throw new RangeError('there is nothing to pick from')
  return value
}

function aMoment(random: Random, longestMs: number): Promise<void> {
  return sleep(between(random, 50, longestMs))
}

function some({ cloud }: Stage, random: Random): ProxiedConnection[] {
  return cloud.connections.filter(() => random() < 0.5)
}

async function terminate({ postgres, user }: Stage): Promise<void> {
  await postgres.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [user])
}

const SOAK_FAULTS: readonly SoakFault[] = [
  {
    name: 'connections end (FIN)',
    part: 'connections',
    inflict: async ({ stage, random }) => {
      for (const connection of some(stage, random)) connection.end()
    },
  },
  {
    name: 'connections are reset',
    part: 'connections',
    inflict: async ({ stage, random }) => {
      for (const connection of some(stage, random)) connection.reset()
    },
  },
  {
    name: 'connections become black holes',
    part: 'connections',
    inflict: async ({ stage, random }) => {
      const lost = some(stage, random)
      for (const connection of lost) connection.blackHole()
      await aMoment(random, 8000)
      // As the server does in the end, when its keep-alive goes unanswered.
      for (const connection of lost) connection.destroy()
    },
  },
  {
    name: 'statements are lost',
    part: 'messages',
    inflict: async ({ stage: { cloud }, random }) => {
      cloud.onClientMessage = (_, type) => (STATEMENT.includes(type) && random() < 0.3 ? 'kill' : 'forward')
      await aMoment(random, 2000)
      cloud.onClientMessage = undefined
    },
  },
  {
    name: 'answers are lost',
    part: 'messages',
    inflict: async ({ stage: { cloud }, random }) => {
      cloud.onServerMessage = (_, type) => (type === COMMAND_COMPLETE && random() < 0.3 ? 'kill' : 'forward')
      await aMoment(random, 2000)
      cloud.onServerMessage = undefined
    },
  },
  {
    name: 'latency',
    part: 'latency',
    inflict: async ({ stage: { cloud }, random }) => {
      cloud.delayMs = between(random, 5, 100)
      await aMoment(random, 5000)
      cloud.delayMs = 0
    },
  },
  {
    name: 'trickle',
    part: 'trickle',
    inflict: async ({ stage: { cloud }, random }) => {
      cloud.trickle = { bytes: between(random, 1, 200), pauseMs: between(random, 1, 20) }
      await aMoment(random, 3000)
      cloud.trickle = undefined
    },
  },
  {
    name: 'new connections are refused',
    part: 'front',
    inflict: async ({ stage: { cloud }, random }) => {
      cloud.refuse = pick(random, REFUSALS)
      for (const connection of cloud.connections) if (random() < 0.5) connection.end()
      await aMoment(random, 3000)
      cloud.refuse = undefined
    },
  },
  {
    name: 'a stranger answers',
    part: 'front',
    inflict: async ({ stage: { cloud }, random }) => {
      const { certificate } = cloud
      const stranger = await createCertificateAuthority('Stand-in Root CA')
      cloud.certificate = await stranger.issue({ hosts: [...cloud.tenants.values()].map(({ host }) => host) })
      for (const connection of cloud.connections) connection.reset()
      await aMoment(random, 2000)
      cloud.certificate = certificate
    },
  },
  { name: 'sessions are terminated (57P01)', part: 'database', inflict: ({ stage }) => terminate(stage) },
  {
    name: 'database restarts',
    part: 'database',
    inflict: ({ server }) => server.restart('fast'),
  },
  {
    name: 'database crashes and comes back',
    part: 'database',
    inflict: async ({ server, random }) => {
      await server.crash()
      await aMoment(random, 2000)
      await server.resume()
    },
  },
  {
    name: 'password is rotated',
    part: 'database',
    inflict: async ({ stage, random }) => {
      const password = `pw-${randomBytes(15).toString('hex')}`
      const text = stage.secretText({ password })
      const { secrets } = stage.secretsManager
      const isPendingFirst = random() < 0.5
      if (isPendingFirst) secrets.put(stage.secretId, text, { stages: ['AWSPENDING'] })
      await stage.changePassword(password)
      await terminate(stage)
      // The database has the new password, and Secrets Manager does not yet.
      await aMoment(random, 1000)
      secrets.put(stage.secretId, text)
    },
  },
  {
    name: 'Secrets Manager fails',
    part: 'secrets manager',
    inflict: async ({ stage: { secretsManager }, random }) => {
      secretsManager.failWith(pick(random, SECRETS_MANAGER_FAULTS))
      await aMoment(random, 5000)
      secretsManager.failWith(undefined)
    },
  },
  {
    name: 'Secrets Manager is slow',
    part: 'secrets manager',
    inflict: async ({ stage: { secretsManager }, random }) => {
      secretsManager.delayMs = between(random, 50, 6000)
      await aMoment(random, 5000)
      secretsManager.delayMs = 0
    },
  },
]

/** What several loops of faults share. */
export interface FaultLog {
  readonly busy: Set<SoakFault['part']>
  /** How often, by name. */
  readonly inflicted: Map<string, number>
}

/** Inflicts one fault after another until `isOver()`; all are over when it resolves. */
export async function inflictFaults(scene: Scene, { busy, inflicted }: FaultLog, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await aMoment(scene.random, 1500)
    const fault = pick(scene.random, SOAK_FAULTS)
    if (isOver() || busy.has(fault.part)) continue
    busy.add(fault.part)
    inflicted.set(fault.name, (inflicted.get(fault.name) ?? 0) + 1)
    await fault.inflict(scene)
    busy.delete(fault.part)
  }
}
