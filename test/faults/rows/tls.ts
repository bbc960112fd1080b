/** Row 17: another server answers instead of the real one. */
import { createCertificateAuthority, type ServerCertificate } from '../../../local/certificates.ts'
import type { Refuse } from '../../../local/cloud/stand-in.ts'
import { ANSWERS, ClearTextServer } from '../clear-text-server.ts'
import type { FaultRow } from '../fault-row.ts'
import { errorsPerInjection, every, inTime } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'

const ONE_DAY_MS = 86_400_000

function pick<Value>({ random }: Stage, values: readonly Value[]): Value {
  const value = values[between(random, 0, values.length - 1)]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}

/** The function has to connect anew while `change` is in force, and again afterwards. */
async function reconnect(stage: Stage, change: () => void, undo: () => void): Promise<void> {
  const environment = await stage.sharedEnvironment()
  await stage.write(environment)
  change()
  for (const connection of stage.cloud.connections) stage.random() < 0.5 ? connection.end() : connection.reset()
  await stage.until(() => stage.cloud.connections.length === 0)
  await stage.write(environment)
  undo()
  await stage.write(environment)
}

/** Shows the function another certificate. */
async function swapCertificate(stage: Stage, certificate: ServerCertificate): Promise<void> {
  const { cloud } = stage
  const before = cloud.certificate
  let startups = 0
  await reconnect(
    stage,
    () => {
      startups = cloud.counts.startups
      cloud.certificate = certificate
    },
    () => {
      if (cloud.counts.startups > startups) stage.findings.push('user and database were sent to an unverified server')
      cloud.certificate = before
    },
  )
}

/** Replaces the server with one that offers clear text. */
async function stripTls(stage: Stage, answers: readonly (readonly Buffer[])[]): Promise<void> {
  const server = new ClearTextServer(pick(stage, answers))
  const refuse = (how: Refuse | undefined) => () => {
    stage.cloud.refuse = how
  }
  await reconnect(stage, refuse(server.serve), refuse(undefined))
  if (stage.isSecretIn(server.received)) stage.findings.push('user or password were sent in clear text')
}

const answersOf = (isTlsOffered: boolean): (readonly Buffer[])[] =>
  Object.entries(ANSWERS).flatMap(([name, answer]) => (name.startsWith('TLS') === isTlsOffered ? [answer] : []))

const PROMISES = every(errorsPerInjection(1, 'ERR_TLS'), inTime)

export const TLS_ROWS: readonly FaultRow[] = [
  {
    id: '17a',
    fault: 'certificate swapped: another authority, or another host',
    caller: 'ERR_TLS at once; answered as soon as the right one is back',
    database: 'receives nothing',
    inject: async (stage) => {
      const hosts = [...stage.cloud.tenants.values()].map(({ host }) => host)
      const stranger = await createCertificateAuthority('Stand-in Root CA')
      const certificate = pick(stage, [
        await stranger.issue({ hosts }),
        await stage.authority.issue({ hosts: ['other-cluster-1.7tt.aws-ap-southeast-1.cockroachlabs.cloud'] }),
      ])
      await swapCertificate(stage, certificate)
    },
    brokenPromises: PROMISES,
  },
  {
    id: '17b',
    fault: 'certificate swapped: expired, or not valid yet',
    caller: 'ERR_TLS at once; answered as soon as the right one is back',
    database: 'receives nothing',
    inject: async (stage) => {
      const hosts = [...stage.cloud.tenants.values()].map(({ host }) => host)
      const days = between(stage.random, 1, 365)
      const [ago, ahead] = [new Date(Date.now() - days * ONE_DAY_MS), new Date(Date.now() + days * ONE_DAY_MS)]
      const certificate = pick(stage, [
        await stage.authority.issue({ hosts, notBefore: new Date(0), notAfter: ago }),
        await stage.authority.issue({ hosts, notBefore: ahead, notAfter: new Date(ahead.getTime() + ONE_DAY_MS) }),
      ])
      await swapCertificate(stage, certificate)
    },
    brokenPromises: PROMISES,
  },
  {
    id: '17c',
    fault: 'TLS stripped in the middle: "no TLS here"',
    caller: 'ERR_TLS at once; answered as soon as TLS is back',
    database: 'receives nothing; neither user nor password is sent',
    inject: (stage) => stripTls(stage, answersOf(false)),
    brokenPromises: PROMISES,
  },
  {
    id: '17d',
    fault: 'TLS promised, then clear text: a request for the password, a login that is over',
    caller: 'ERR_TLS at once; answered as soon as TLS is back',
    database: 'receives nothing; neither user nor password is sent',
    inject: (stage) => stripTls(stage, answersOf(true)),
    brokenPromises: PROMISES,
  },
]
