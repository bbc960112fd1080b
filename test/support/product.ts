/** The whole product in one process: secret, stand-ins and databases made with options. */
import { inspect } from 'node:util'
import { expect } from 'vitest'
import type { CloudStandInOptions } from '../../local/cloud/stand-in.ts'
import { SecretsManagerStandIn } from '../../local/secrets-manager/stand-in.ts'
import { type Clock, SYSTEM_CLOCK } from '../../src/base/clock.ts'
import { Database } from '../../src/database.ts'
import type { ConnectionError, DatabaseOptions } from '../../src/index.ts'
import { openCloud, type TestCloud } from './database.ts'
import { TemporaryFolder } from './temporary-folder.ts'

export interface Product extends AsyncDisposable {
  readonly cloud: TestCloud
  readonly secretsManager: SecretsManagerStandIn
  /** Name of a secret that logs in. */
  readonly secretId: string
  /** The secret's fields, for secrets that differ in one of them. */
  readonly fields: Readonly<Record<string, string | number>>
  /** A database on that secret; closed at the end. */
  database(options?: DatabaseOptions, clock?: Clock): Database
}

/** What the SDK reads from a Lambda function's environment. */
export function awsEnvironment(secretsManager: SecretsManagerStandIn): Record<string, string> {
  return {
    AWS_REGION: 'ap-southeast-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'not-a-real-key',
    AWS_SESSION_TOKEN: 'not-a-real-token',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
  }
}

/** Starts the stand-ins, with one secret in the RDS style that names the Cloud stand-in. */
export async function openProduct(options: Partial<CloudStandInOptions> = {}): Promise<Product> {
  const cloud = await openCloud(options)
  const secretsManager = await SecretsManagerStandIn.start()
  // Vitest kills its workers, and with them what removes the certificates' files when a process ends.
  const folder = await TemporaryFolder.open()
  Object.assign(process.env, awsEnvironment(secretsManager))
  const { host, user: username, password, standIn, authority } = cloud
  const fields = {
    host,
    port: standIn.port,
    username,
    password,
    dbname: 'defaultdb',
    sslrootcert: authority.certificate,
  }
  const secretId = 'app/db'
  secretsManager.secrets.create(secretId, JSON.stringify(fields))
  const databases: Database[] = []
  return {
    ...{ cloud, secretsManager, secretId, fields },
    database(changes = {}, clock = SYSTEM_CLOCK) {
      const database = new Database({ secretId, ...changes }, clock)
      databases.push(database)
      return database
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(databases.map((database) => database.close()))
      await folder[Symbol.asyncDispose]()
      await secretsManager.stop()
      await cloud[Symbol.asyncDispose]()
    },
  }
}

/** The error of a promise that must reject. */
export async function rejection(promise: Promise<unknown>): Promise<ConnectionError> {
  return promise.then(
    (value) => expect.fail(`resolved with ${inspect(value)}`),
    (error: ConnectionError) => error,
  )
}

/** Everything that a careless logger could print of a value. */
export function printed(value: unknown): string {
  const ways = [
    inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null }),
    String(value),
  ]
  return ways.join('\n')
}
