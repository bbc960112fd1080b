/** The table of the settings that are not fields of the connection: option, variable and reader of each. */
import * as variable from '../base/environment-variables.ts'
import { oneOf, type Reader, readFlag, wholeNumber } from '../base/readers.ts'
import { type Origin, valueRefusal } from '../base/refusal.ts'
import type { FieldName } from '../connection-string/fields.ts'
import { readText, refuseWhole } from '../connection-string/values.ts'
import { CLUSTER_ROUTINGS } from '../routing/cluster-routing.ts'
import type { DatabaseOptions } from './database-options.ts'
import type { PoolOptions } from './pool-options.ts'

/** The settings by the name of their option. */
export type SettingValues = Required<Omit<DatabaseOptions, FieldName | 'connectionString' | 'pg' | keyof PoolOptions>>
export type SettingName = keyof SettingValues

/** Option and variable are read alike: of an option that is a number or a boolean, its text is read. */
export interface Setting<Value> {
  readonly kind: 'string' | 'number' | 'boolean'
  readonly variable: string
  readonly read: Reader<Value>
}

/**
 * What Secrets Manager accepts: the characters of a name and `!`, which AWS's own secrets have, or an ARN. Any other
 * text is refused, since messages and CloudTrail show this value.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
 */
const SECRET_ID = /^(?:arn:[\w-]+:secretsmanager:[\w-]*:\d*:secret:)?[\w/+=.@!-]{1,512}$/

function readSecretId(text: string, origin: Origin): string {
  refuseWhole(text, origin)
  if (SECRET_ID.test(text)) return text
  throw valueRefusal(
    origin,
    `is not the name or ARN of a secret (${text.length} characters)`,
    'A name has letters, digits and /_+=.@- only. The value of the secret itself stays in Secrets Manager.',
  )
}

export const SETTINGS: { readonly [Name in SettingName]: Setting<SettingValues[Name]> } = {
  secretId: { kind: 'string', variable: variable.COCKROACH_SECRET_ID, read: readSecretId },
  secretKey: { kind: 'string', variable: variable.COCKROACH_SECRET_KEY, read: readText },
  secretTtlSeconds: {
    kind: 'number',
    variable: variable.COCKROACH_SECRET_TTL_SECONDS,
    read: wholeNumber(0, 86_400),
  },
  auth: { kind: 'string', variable: variable.COCKROACH_AUTH, read: oneOf(['password', 'jwt']) },
  jwtAudience: { kind: 'string', variable: variable.COCKROACH_JWT_AUDIENCE, read: readText },
  clusterRouting: { kind: 'string', variable: variable.COCKROACH_CLUSTER_ROUTING, read: oneOf(CLUSTER_ROUTINGS) },
  max: { kind: 'number', variable: variable.COCKROACH_MAX_CONNECTIONS, read: wholeNumber(1, 1000) },
  gracefulShutdown: { kind: 'boolean', variable: variable.COCKROACH_GRACEFUL_SHUTDOWN, read: readFlag },
  deadlineMarginMs: {
    kind: 'number',
    variable: variable.COCKROACH_DEADLINE_MARGIN_MS,
    read: wholeNumber(100, 60_000),
  },
  metrics: { kind: 'string', variable: variable.COCKROACH_METRICS, read: oneOf(['emf', 'off']) },
  readyTimeoutMs: { kind: 'number', variable: variable.COCKROACH_READY_TIMEOUT_MS, read: wholeNumber(0, 10_000) },
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name)
}
