/** Reads options and environment into one frozen record: the only module that reads `process.env`. */

import { join } from 'node:path'
import type { Environment } from '../base/environment-variables.ts'
import * as variable from '../base/environment-variables.ts'
import { misspeltWord } from '../base/nearest.ts'
import { oneOf, type Reader, wholeNumber } from '../base/readers.ts'
import { type Origin, valueRefusal } from '../base/refusal.ts'
import type { ConnectionFields, ParsedFields } from '../connection-string/fields.ts'
import { parseConnectionString } from '../connection-string/parse.ts'
import { MAX_PORT } from '../connection-string/values.ts'
import type { ClusterRouting } from '../routing/cluster-routing.ts'
import { checkOptions } from './check-options.ts'
import type { DatabaseOptions, PasswordFunction } from './database-options.ts'
import { environmentLookup, optionLookup, readFields, readFound, readPoolOptions, readSetting } from './lookups.ts'
import { refuseOldNode } from './node-version.ts'
import type { PoolOptions } from './pool-options.ts'
import { Problems } from './problems.ts'
import { type RoleAccess, readRoleAccess } from './role-access.ts'
import type { SettingName } from './setting-table.ts'

/** What the process runs on. */
export interface Platform {
  readonly isLambda: boolean
  /** True for a function that has less than a processor once init is over. */
  readonly isSmall: boolean
  readonly functionName: string | undefined
  /** The region that this process runs in, if the environment names it. */
  readonly region: string | undefined
  readonly home: string | undefined
  /** Path of the function's module, which its packages are found from; on Lambda only. */
  readonly functionModule: string | undefined
  /** Host and port of the Runtime API, where extensions register. */
  readonly runtimeApi: string | undefined
  /** Port of the AWS Parameters and Secrets extension, if it is set. */
  readonly secretsExtensionPort: number | undefined
  /** Read at each call: during a long process, its keys are replaced. */
  readonly sessionToken: () => string | undefined
  /** What a request to Secrets Manager needs without the SDK, if that suffices; read at each call. */
  readonly roleAccess: () => RoleAccess | undefined
  /** The same for STS, in the region of this process. */
  readonly stsAccess: () => RoleAccess | undefined
  /** True on Managed Instances: several invocations at once, never frozen. */
  readonly isManagedInstances: boolean
  /** True while SnapStart's init runs, for a snapshot that many execution environments start from; looked at at each call. */
  readonly isBeforeSnapshot: () => boolean
}

/** Options and environment, checked. */
export interface Settings {
  readonly secretId: string | undefined
  readonly secretKey: string | undefined
  readonly secretTtlMs: number
  readonly clusterRouting: ClusterRouting
  /** `jwt`: a token of STS is the password. */
  readonly auth: 'password' | 'jwt'
  /** Whom the token is for; undefined for the server's host name. */
  readonly jwtAudience: string | undefined
  /** Asked for the password of each new connection, instead of the fields. */
  readonly passwordFunction: PasswordFunction | undefined
  readonly max: number
  /** The copy of pg that was handed over. */
  readonly pg: object | undefined
  /** Those that were given of pg's own. */
  readonly poolOptions: PoolOptions
  readonly gracefulShutdown: boolean
  readonly deadlineMarginMs: number
  readonly metrics: 'emf' | 'off'
  readonly readyTimeoutMs: number
  /** Fields given in code: they have precedence over the secret. */
  readonly options: ConnectionFields
  /** Fields of the environment: the secret has precedence over them. */
  readonly environment: ConnectionFields
  /** What DATABASE_URL names, if a secret is named too and used instead. */
  readonly passedOver: ConnectionFields | undefined
  readonly warnings: readonly string[]
  readonly platform: Platform
}

const DEFAULT_MAX = 1
const DEFAULT_SECRET_TTL_SECONDS = 300
export const DEFAULT_DEADLINE_MARGIN_MS = 500
const DEFAULT_READY_TIMEOUT_MS = 3000
/** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const WHOLE_PROCESSOR_MB = 1769
/** One connection serves several short invocations; with more, statements only wait at the server instead. */
const MAX_ON_MANAGED_INSTANCES = 4

function readNegotiation(text: string, origin: Origin): void {
  const word = oneOf(['postgres', 'direct'])(text, origin)
  if (word === 'direct') throw valueRefusal(origin, 'is "direct"; CockroachDB Cloud supports only "postgres"')
}

/** Checked because messages show it. */
function readRegion(text: string, origin: Origin): void {
  if (/^[a-z\d-]{1,40}$/.test(text)) return
  throw valueRefusal(origin, `is not an AWS region (${text.length} characters)`, 'Write it like eu-central-1.')
}

/** Other programs have variables that begin with `COCKROACH_` too: only a misspelling of one of ours is refused. */
function checkNames(environment: Environment, problems: Problems): void {
  const known: readonly string[] = Object.values(variable)
  for (const name of Object.keys(environment)) {
    const meant = known.includes(name) ? undefined : misspeltWord(name, known)
    if (meant !== undefined) problems.add(`unknown environment variable ${name}; did you mean ${meant}?`)
  }
}

const NOTHING: ParsedFields = { fields: {}, warnings: [] }

function readString(text: string, name: string, problems: Problems): ParsedFields {
  return problems.attempt(() => parseConnectionString(text, { code: 'ERR_CONFIG', name })) ?? NOTHING
}

function readPlatform(
  variables: Environment,
  secretId: string | undefined,
  secretsExtensionPort: number | undefined,
): Platform {
  const environment = present(variables)
  return {
    isLambda: environment.AWS_LAMBDA_FUNCTION_NAME !== undefined,
    isSmall: Number(environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) < WHOLE_PROCESSOR_MB,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    region: environment.AWS_REGION,
    home: environment.HOME ?? environment.USERPROFILE,
    functionModule: environment.LAMBDA_TASK_ROOT && join(environment.LAMBDA_TASK_ROOT, environment._HANDLER ?? 'index'),
    runtimeApi: environment.AWS_LAMBDA_RUNTIME_API,
    secretsExtensionPort,
    sessionToken: () => present(variables).AWS_SESSION_TOKEN,
    roleAccess: () => readRoleAccess(present(variables), secretId),
    stsAccess: () => readRoleAccess(present(variables), undefined, 'sts'),
    isManagedInstances: environment.AWS_LAMBDA_MAX_CONCURRENCY !== undefined,
    // The runtime sets the trace id with each invocation. If it never does, every use counts as one in init: slow, and safe.
    isBeforeSnapshot: () =>
      environment.AWS_LAMBDA_INITIALIZATION_TYPE === 'snap-start' && !present(variables)._X_AMZN_TRACE_ID,
  }
}

/** A copy without the variables that are undefined or empty: libpq treats an empty setting as unset. */
function present(variables: Environment): Environment {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
}

/**
 * Checks options and environment, and returns them in one record; nothing is read from the network or the disk.
 *
 * @throws ConnectionError `ERR_CONFIG`, with everything that is wrong in one message.
 */
export function readSettings(options: DatabaseOptions = {}, variables: Environment = process.env): Settings {
  refuseOldNode(process.versions.node)
  const problems = new Problems()
  checkOptions(options, problems)
  const environment = present(variables)
  const inCode = optionLookup(options)
  const inEnvironment = environmentLookup(environment)
  const setting = <Name extends SettingName>(name: Name, isInCode = false) =>
    readSetting(name, isInCode ? [inCode] : [inCode, inEnvironment], problems)
  const other = <Value>(name: string, read: Reader<Value>) => readFound(inEnvironment('', name), read, problems)

  const fieldsInCode = readFields(inCode, problems)
  checkNames(variables, problems)
  const { connectionString } = options
  const hasString = typeof connectionString === 'string'
  const ownString = hasString ? readString(connectionString, 'option connectionString', problems) : NOTHING

  const secretId = setting('secretId', hasString)
  const { DATABASE_URL, PGHOST, COCKROACH_SECRET_ID } = environment
  const namesSecret = options.secretId !== undefined || (!hasString && COCKROACH_SECRET_ID !== undefined)
  const url = namesSecret || hasString ? undefined : DATABASE_URL
  const fromUrl = url === undefined ? NOTHING : readString(url, 'DATABASE_URL', problems)
  const isPassedOver = namesSecret && DATABASE_URL !== undefined
  const fieldsInEnvironment = readFields(inEnvironment, problems)
  const namesServer =
    hasString || DATABASE_URL !== undefined || PGHOST !== undefined || inCode('host', '') !== undefined
  if (!namesSecret && !namesServer) {
    problems.add(
      `no secret and no server: COCKROACH_SECRET_ID is ${variables.COCKROACH_SECRET_ID === '' ? 'empty' : 'not set'}, and neither are DATABASE_URL and PGHOST`,
    )
  }

  if (options.auth === 'jwt' && options.password !== undefined) {
    problems.add('options auth "jwt" and password exclude each other; keep one')
  }
  other('PGSSLNEGOTIATION', readNegotiation)
  other('AWS_REGION', readRegion)
  const concurrency = other('AWS_LAMBDA_MAX_CONCURRENCY', wholeNumber(1, 100_000))
  const secretsExtensionPort = other('PARAMETERS_SECRETS_EXTENSION_HTTP_PORT', wholeNumber(1, MAX_PORT))
  const settings: Settings = {
    secretId,
    secretKey: setting('secretKey'),
    secretTtlMs: 1000 * (setting('secretTtlSeconds') ?? DEFAULT_SECRET_TTL_SECONDS),
    clusterRouting: setting('clusterRouting') ?? 'database',
    auth: setting('auth', options.password !== undefined || hasString) ?? 'password',
    jwtAudience: setting('jwtAudience'),
    passwordFunction: typeof options.password === 'function' ? options.password : undefined,
    max: setting('max') ?? Math.min(concurrency ?? DEFAULT_MAX, MAX_ON_MANAGED_INSTANCES),
    pg: options.pg,
    poolOptions: readPoolOptions(options, problems),
    gracefulShutdown: setting('gracefulShutdown') ?? false,
    deadlineMarginMs: setting('deadlineMarginMs') ?? DEFAULT_DEADLINE_MARGIN_MS,
    metrics: setting('metrics') ?? 'off',
    readyTimeoutMs: setting('readyTimeoutMs') ?? DEFAULT_READY_TIMEOUT_MS,
    options: { ...ownString.fields, ...fieldsInCode },
    environment: { ...fieldsInEnvironment, ...fromUrl.fields },
    // It may be another program's: its mistakes are not reported.
    passedOver: isPassedOver ? readString(DATABASE_URL, 'DATABASE_URL', new Problems()).fields : undefined,
    warnings: [...ownString.warnings, ...fromUrl.warnings],
    platform: readPlatform(variables, secretId, secretsExtensionPort),
  }
  problems.throwIfAny()
  return Object.freeze(settings)
}
