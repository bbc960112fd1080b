/** Reads options and environment into one frozen record: the only module that sees `process.env`. */

import * as variable from '../base/environment-variables.ts'
import { nearest } from '../base/nearest.ts'
import { Password } from '../base/password.ts'
import type { ConnectionFields, ParsedFields } from '../connection-string/fields.ts'
import { parseConnectionString } from '../connection-string/parse.ts'
import type { ClusterRouting } from '../routing/routing.ts'
import { checkOptions, type DatabaseOptions, MAX_PORT } from './database-options.ts'
import { Problems, wholeNumber } from './problems.ts'
import { type RoleAccess, readRoleAccess } from './role-access.ts'

/** What the process tells about where it runs. */
export interface Surroundings {
  readonly isLambda: boolean
  readonly functionName: string | undefined
  readonly home: string | undefined
  /** Host and port of the Runtime API, where extensions register. */
  readonly runtimeApi: string | undefined
  readonly sessionToken: string | undefined
  /** Port of the AWS Parameters and Secrets extension, where it was set. */
  readonly secretsExtensionPort: number | undefined
  /** For asking Secrets Manager without the SDK, where that is enough. */
  readonly roleAccess: RoleAccess | undefined
  /** True on Managed Instances: several invocations at once, never frozen. */
  readonly isManagedInstances: boolean
}

/** Options and environment, checked. */
export interface Settings {
  readonly secretId: string | undefined
  readonly secretKey: string | undefined
  readonly secretTtlMs: number
  readonly clusterRouting: ClusterRouting
  readonly max: number
  readonly gracefulShutdown: boolean
  readonly deadlineMarginMs: number
  /** Fields given in code: they win over the secret. */
  readonly options: ConnectionFields
  /** Fields of the environment: they fill what the secret lacks. */
  readonly environment: ConnectionFields
  readonly warnings: readonly string[]
  readonly surroundings: Surroundings
}

type Environment = Readonly<Record<string, string | undefined>>

const ROUTINGS: readonly ClusterRouting[] = ['database', 'sni', 'options']
const DEFAULT_MAX = 1
export const DEFAULT_DEADLINE_MARGIN_MS = 500
/** One connection serves several short invocations; more than this only moves the queue to the server. */
const MAX_ON_MANAGED_INSTANCES = 4

function checkVariables(environment: Environment, problems: Problems): void {
  const known: readonly string[] = Object.values(variable)
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('COCKROACH_') || known.includes(name)) continue
    problems.add(`unknown environment variable ${name}; did you mean ${nearest(name, known)}?`)
  }
}

/** A copy without the entries that are undefined or empty: libpq treats an empty setting as unset. */
function present<Fields extends object>(fields: Fields): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(entries) as { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> }
}

function passwordOf(text: unknown): Password | undefined {
  return typeof text === 'string' && text !== '' ? new Password(text) : undefined
}

function fieldsOfOptions(options: DatabaseOptions, problems: Problems): ParsedFields {
  const text = options.connectionString
  const parsed =
    typeof text === 'string'
      ? problems.attempt(() => parseConnectionString(text, { code: 'ERR_CONFIG', name: 'option connectionString' }))
      : undefined
  const { host, port, dbname, user, sslmode, sslrootcert, application_name, connect_timeout, cluster } = options
  const password = passwordOf(options.password)
  const named = { host, port, dbname, user, password, sslmode, sslrootcert, application_name, connect_timeout, cluster }
  return {
    fields: { ...parsed?.fields, ...present({ ...named, options: options.options }) },
    warnings: parsed?.warnings ?? [],
  }
}

function fieldsOfEnvironment(environment: Environment, hasSecret: boolean, problems: Problems): ParsedFields {
  const url = environment.DATABASE_URL
  const parsed =
    !hasSecret && url !== undefined
      ? problems.attempt(() => parseConnectionString(url, { code: 'ERR_CONFIG', name: 'DATABASE_URL' }))
      : undefined
  const negotiation = environment.PGSSLNEGOTIATION
  if (negotiation !== undefined && negotiation !== 'postgres') {
    problems.add(`PGSSLNEGOTIATION is "${negotiation}"; CockroachDB Cloud only knows "postgres"`)
  }
  return {
    fields: {
      ...present({
        host: environment.PGHOST,
        port: wholeNumber('PGPORT', environment.PGPORT, { min: 1, max: MAX_PORT }, problems),
        dbname: environment.PGDATABASE,
        user: environment.PGUSER,
        password: passwordOf(environment.PGPASSWORD),
        sslmode: environment.PGSSLMODE,
        sslrootcert: environment.PGSSLROOTCERT,
        options: environment.PGOPTIONS,
        application_name: environment.PGAPPNAME,
        connect_timeout: wholeNumber(
          'PGCONNECT_TIMEOUT',
          environment.PGCONNECT_TIMEOUT,
          { min: 0, max: 3600 },
          problems,
        ),
        cluster: environment[variable.COCKROACH_CLUSTER],
      }),
      ...parsed?.fields,
    },
    warnings: parsed?.warnings ?? [],
  }
}

function readRouting(options: DatabaseOptions, environment: Environment, problems: Problems): ClusterRouting {
  const name = options.clusterRouting === undefined ? variable.COCKROACH_CLUSTER_ROUTING : 'option clusterRouting'
  const text = options.clusterRouting ?? environment[variable.COCKROACH_CLUSTER_ROUTING] ?? 'database'
  const routing = ROUTINGS.find((known) => known === text)
  if (routing === undefined) problems.add(`${name} is "${text}"; expected ${ROUTINGS.join(', ')}`)
  return routing ?? 'database'
}

function readGracefulShutdown(options: DatabaseOptions, environment: Environment, problems: Problems): boolean {
  const name = variable.COCKROACH_GRACEFUL_SHUTDOWN
  const text = (environment[name] ?? '').toLowerCase()
  if (!['', 'true', 'false', '1', '0'].includes(text))
    problems.add(`${name} is "${environment[name]}"; expected true or false`)
  return options.gracefulShutdown ?? (text === 'true' || text === '1')
}

function readSurroundings(environment: Environment, problems: Problems): Surroundings {
  const name = 'PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'
  return {
    isLambda: environment.AWS_LAMBDA_FUNCTION_NAME !== undefined,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    home: environment.HOME ?? environment.USERPROFILE,
    runtimeApi: environment.AWS_LAMBDA_RUNTIME_API,
    sessionToken: environment.AWS_SESSION_TOKEN,
    secretsExtensionPort: wholeNumber(name, environment[name], { min: 1, max: MAX_PORT }, problems),
    roleAccess: readRoleAccess(environment),
    isManagedInstances: environment.AWS_LAMBDA_MAX_CONCURRENCY !== undefined,
  }
}

/**
 * Checks options and environment and gives them in one record; nothing is read from the network or the disk.
 *
 * @throws ConnectionError `ERR_CONFIG`, with everything that is wrong in one message.
 */
export function readSettings(options: DatabaseOptions = {}, variables: Environment = process.env): Settings {
  const problems = new Problems()
  checkOptions(options, problems)
  checkVariables(variables, problems)
  const environment: Environment = present(variables)
  const number = (name: string, range: { min: number; max: number }) =>
    wholeNumber(name, environment[name], range, problems)

  const hasOwnString = options.connectionString !== undefined
  const secretId = options.secretId ?? (hasOwnString ? undefined : environment[variable.COCKROACH_SECRET_ID])
  const fromOptions = fieldsOfOptions(options, problems)
  const fromEnvironment = fieldsOfEnvironment(environment, secretId !== undefined || hasOwnString, problems)
  const isServerNamed =
    hasOwnString || fromOptions.fields.host !== undefined || fromEnvironment.fields.host !== undefined
  if (secretId === undefined && environment.DATABASE_URL === undefined && !isServerNamed) {
    problems.add(
      `no secret and no server: ${variable.COCKROACH_SECRET_ID} is ${variables[variable.COCKROACH_SECRET_ID] === '' ? 'empty' : 'not set'}, and neither are DATABASE_URL and PGHOST`,
    )
  }
  const concurrency = number('AWS_LAMBDA_MAX_CONCURRENCY', { min: 1, max: 100_000 })
  const maxByDefault = concurrency === undefined ? DEFAULT_MAX : Math.min(concurrency, MAX_ON_MANAGED_INSTANCES)
  const settings: Settings = {
    secretId,
    secretKey: options.secretKey ?? environment[variable.COCKROACH_SECRET_KEY],
    secretTtlMs:
      1000 *
      (options.secretTtlSeconds ?? number(variable.COCKROACH_SECRET_TTL_SECONDS, { min: 0, max: 86_400 }) ?? 300),
    clusterRouting: readRouting(options, environment, problems),
    max: options.max ?? number(variable.COCKROACH_MAX_CONNECTIONS, { min: 1, max: 1000 }) ?? maxByDefault,
    gracefulShutdown: readGracefulShutdown(options, environment, problems),
    deadlineMarginMs:
      options.deadlineMarginMs ??
      number(variable.COCKROACH_DEADLINE_MARGIN_MS, { min: 100, max: 60_000 }) ??
      DEFAULT_DEADLINE_MARGIN_MS,
    options: fromOptions.fields,
    environment: fromEnvironment.fields,
    warnings: [...fromOptions.warnings, ...fromEnvironment.warnings],
    surroundings: readSurroundings(environment, problems),
  }
  problems.throwIfAny()
  return Object.freeze(settings)
}
