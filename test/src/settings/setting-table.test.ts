import { describe, expect, test } from 'vitest'
import { readSettings } from '../../../src/settings/settings.ts'
import { SECRET } from '../../support/connection-string.ts'
import { type Environment, problemsOf, WITH_SECRET } from '../../support/settings.ts'

const PORT_HINT = '(CockroachDB Cloud listens on 26257, PostgreSQL on 5432; leave the port out to use that.)'
const SECONDS_HINT = '(Give it in seconds, without a unit.)'

describe('the value of an environment variable', () => {
  test.each<[Environment, string]>([
    [{ PGPORT: 'ten' }, `PGPORT is not a number (3 characters); expected a whole number from 1 to 65535 ${PORT_HINT}`],
    [{ PGPORT: '65536' }, `PGPORT is 65536; expected a whole number from 1 to 65535 ${PORT_HINT}`],
    [{ PGPORT: '0x10' }, `PGPORT is not a number (4 characters); expected a whole number from 1 to 65535 ${PORT_HINT}`],
    [{ PGCONNECT_TIMEOUT: '-1' }, `PGCONNECT_TIMEOUT is -1; expected a whole number from 0 to 3600 ${SECONDS_HINT}`],
    [
      { COCKROACH_SECRET_TTL_SECONDS: '1.5' },
      'COCKROACH_SECRET_TTL_SECONDS is 1.5; expected a whole number from 0 to 86400',
    ],
    [{ COCKROACH_MAX_CONNECTIONS: '0' }, 'COCKROACH_MAX_CONNECTIONS is 0; expected a whole number from 1 to 1000'],
    [
      { COCKROACH_DEADLINE_MARGIN_MS: '1e3' },
      'COCKROACH_DEADLINE_MARGIN_MS is not a number (3 characters); expected a whole number from 100 to 60000',
    ],
    [{ COCKROACH_CLUSTER_ROUTING: 'SNI' }, 'COCKROACH_CLUSTER_ROUTING is "SNI"; did you mean "sni"?'],
    [
      { COCKROACH_GRACEFUL_SHUTDOWN: 'yes' },
      'COCKROACH_GRACEFUL_SHUTDOWN is an unknown word of 3 characters; expected true, false, 1, 0',
    ],
    [{ PGSSLNEGOTIATION: 'direct' }, 'PGSSLNEGOTIATION is "direct"; CockroachDB Cloud supports only "postgres"'],
    [
      { PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: 'x' },
      'PARAMETERS_SECRETS_EXTENSION_HTTP_PORT is not a number (1 characters); expected a whole number from 1 to 65535',
    ],
    [
      { AWS_LAMBDA_MAX_CONCURRENCY: 'many' },
      'AWS_LAMBDA_MAX_CONCURRENCY is not a number (4 characters); expected a whole number from 1 to 100000',
    ],
  ])('%j is refused', (environment, message) => {
    expect(problemsOf({}, { ...WITH_SECRET, ...environment })).toBe(message)
  })
})

describe('the value of an option', () => {
  test.each<[object, string]>([
    [{ port: 0 }, `option port is 0; expected a whole number from 1 to 65535 ${PORT_HINT}`],
    [{ max: Number.NaN }, 'option max is NaN; expected a whole number from 1 to 1000'],
    [{ max: 1.5 }, 'option max is 1.5; expected a whole number from 1 to 1000'],
    [
      { clusterRouting: 'host' },
      'option clusterRouting is an unknown word of 4 characters; expected database, sni, options',
    ],
    [{ secretTtlSeconds: -1 }, 'option secretTtlSeconds is -1; expected a whole number from 0 to 86400'],
    [
      { connect_timeout: 3601 },
      `option connect_timeout is 3601; expected a whole number from 0 to 3600 ${SECONDS_HINT}`,
    ],
    [{ deadlineMarginMs: 99 }, 'option deadlineMarginMs is 99; expected a whole number from 100 to 60000'],
  ])('%j is refused', (options, message) => {
    expect(problemsOf(options)).toBe(message)
  })
})

describe('the id of the secret', () => {
  test.each([
    'app/db',
    'rds!db-3d0c1a52-8a4e-4b0e-9d1c-0f6a7b8c9d0e',
    'a_b+c=d.e@f-g',
    'arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:app/db-AbCdEf',
    'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:app/db',
  ])('%s is taken', (secretId) => {
    expect(readSettings({ secretId }, {}).secretId).toBe(secretId)
    expect(readSettings({}, { COCKROACH_SECRET_ID: secretId }).secretId).toBe(secretId)
  })

  test.each([
    [`postgresql://app:${SECRET}@db.example.com/shop`, 'is a URL'],
    [JSON.stringify({ username: 'app', password: SECRET }), 'is JSON'],
    [`host=db.example.com password=${SECRET}`, 'is a connection string'],
    [`app ${SECRET}`, 'is not the name or ARN of a secret (14 characters)'],
    [`https://${SECRET}`, 'is not the name or ARN of a secret (18 characters)'],
    ['a'.repeat(513), 'is not the name or ARN of a secret (513 characters)'],
  ])('%s is refused, and not shown', (secretId, found) => {
    expect(problemsOf({ secretId }, {})).toContain(`option secretId ${found}`)
    expect(problemsOf({}, { COCKROACH_SECRET_ID: secretId })).toContain(`COCKROACH_SECRET_ID ${found}`)
  })
})
