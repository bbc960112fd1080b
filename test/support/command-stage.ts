/** The stand-ins for tests of the command: a secret that logs in, and the settings of somebody's terminal. */
import { expect } from 'vitest'
import type { DoctorReport } from '../../cli/doctor/report.ts'
import type { CloudStandInOptions } from '../../local/cloud/stand-in.ts'
import { type CommandResult, runCommand } from './command-line.ts'
import { openProduct, type Product } from './product.ts'

type Fields = Readonly<Record<string, unknown>>

export interface CommandStage extends Product {
  /** Stores the secret anew; of fields, JSON. */
  store(value: string | Buffer | Fields): void
  /** Runs the command with an environment that names the stand-ins; the password is in no output. */
  run(words: readonly string[], line?: StageLine): Promise<CommandResult>
  /** The doctor's report, after at most one login. @default with the secret */
  doctor(words?: readonly string[], line?: StageLine): Promise<DoctorReport & { readonly exitCode: number }>
}

interface StageLine {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Beside the password that logs in. */
  readonly secrets?: readonly string[]
}

/** No such folder: without libpq's default certificate, whatever the machine has. */
const HOME = '/nonexistent'

export async function openCommandStage(options: Partial<CloudStandInOptions> = {}): Promise<CommandStage> {
  const product = await openProduct(options)
  const { cloud, secretsManager, secretId } = product
  const run: CommandStage['run'] = (words, { input, environment = {}, secrets = [] } = {}) =>
    runCommand(words, {
      ...(input !== undefined && { input }),
      environment: { AWS_REGION: 'ap-southeast-1', HOME, ...environment },
      secrets: [cloud.password, ...secrets],
    })
  return {
    ...product,
    run,
    doctor: async (words = ['--secret-id', secretId], line = {}) => {
      cloud.standIn.resetCounts()
      const { code, stdout } = await run(['doctor', '--json', ...words], line)
      const report = JSON.parse(stdout)
      expect(report.exitCode).toBe(code)
      expect(cloud.standIn.counts.logins).toBeLessThanOrEqual(1)
      return report
    },
    store: (value) => {
      const isText = typeof value === 'string' || Buffer.isBuffer(value)
      secretsManager.secrets.put(secretId, isText ? value : JSON.stringify(value))
    },
    [Symbol.asyncDispose]: () => product[Symbol.asyncDispose](),
  }
}
