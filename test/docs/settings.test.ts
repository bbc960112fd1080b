import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { CONTEXT_NAMES, propsFromContext } from '../../cdk/health-check-context.ts'
import * as variable from '../../src/base/environment-variables.ts'
import { isSpecificKey } from '../../src/secret/value/keys.ts'
import { parseSecret } from '../../src/secret/value/parse.ts'
import type { DatabaseOptions } from '../../src/settings/database-options.ts'
import { POOL_OPTIONS, REFUSED_OPTIONS } from '../../src/settings/pool-options.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { codeIn, readPage, tableOf, tablesOf } from '../support/page.ts'
import { readNow } from '../support/settings.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PAGE = readPage('docs/settings.md')

/** Names of an interface's members, in their order. */
function members(path: string, name: string): string[] {
  const text = readFileSync(join(REPOSITORY, path), 'utf8')
  const [, body = ''] = new RegExp(`interface ${name}(?: extends \\w+)? \\{\\n(.*?)^\\}`, 'ms').exec(text) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member)
}

describe('options and variables', () => {
  const rows = tableOf(PAGE, 'Settings')
  const pairs = rows.flatMap(([options, variables]) =>
    codeIn(options).map((option, index) => [option, codeIn(variables)[index] ?? ''] as const),
  )
  /** What every connection needs. */
  const SERVER = { PGHOST: 'db.example.com' }

  test('name every option', () => {
    expect(pairs.map(([option]) => option).toSorted()).toEqual(
      members('src/settings/database-options.ts', 'DatabaseOptions').toSorted(),
    )
  })

  test('name every variable of ours', () => {
    const ours = rows.flatMap(([, variables]) => codeIn(variables)).filter((name) => name.startsWith('COCKROACH_'))
    expect(ours.toSorted()).toEqual(Object.values(variable).toSorted())
  })

  /** Values that differ from the defaults; `text` for all others. */
  const VALUES: Readonly<Record<string, string | number | boolean>> = {
    secretTtlSeconds: 60,
    connectionString: 'postgresql://app:pw@db.example.com/defaultdb',
    port: 26_258,
    sslmode: 'require',
    channel_binding: 'require',
    require_auth: 'scram-sha-256',
    connect_timeout: 3,
    auth: 'jwt',
    clusterRouting: 'sni',
    max: 2,
    gracefulShutdown: true,
    deadlineMarginMs: 700,
    metrics: 'emf',
    readyTimeoutMs: 700,
  }

  /** The settings, whatever their origin. */
  function effective(options: DatabaseOptions, variables: Readonly<Record<string, string>>): unknown {
    const { options: inCode, environment, ...settings } = readNow(options, variables)
    return { ...settings, fields: { ...environment, ...inCode } }
  }

  test.each(pairs.filter(([, name]) => name !== ''))('option %s and variable %s do the same', (option, name) => {
    const value = VALUES[option] ?? 'text'
    const changed = effective({ [option]: value }, SERVER)
    expect(changed).toEqual(effective({}, { ...SERVER, [name]: String(value) }))
    expect(changed).not.toEqual(effective({}, SERVER))
  })

  test('state the defaults', () => {
    const defaults = Object.fromEntries(rows.map(([option = '', , value]) => [codeIn(option)[0], value]))
    const settings = readSettings({}, SERVER)
    expect(defaults).toMatchObject({
      secretTtlSeconds: String(settings.secretTtlMs / 1000),
      clusterRouting: `\`${settings.clusterRouting}\``,
      max: expect.stringMatching(new RegExp(`^${settings.max};`)),
      gracefulShutdown: String(settings.gracefulShutdown),
      deadlineMarginMs: String(settings.deadlineMarginMs),
      metrics: expect.stringMatching(new RegExp(`^\`${settings.metrics}\`;`)),
      readyTimeoutMs: String(settings.readyTimeoutMs),
    })
  })

  test('name every option of pg’s pool, with its range', () => {
    const pool = tableOf(PAGE, 'Options of pg’s pool').flatMap(([options, , values]) => {
      const [, min, max] = /(\d+) to (\d+)$/.exec(values ?? '') ?? []
      return codeIn(options).map((option) => [option, min === undefined ? undefined : [Number(min), Number(max)]])
    })
    const ranges = Object.entries(POOL_OPTIONS).map(([name, { range }]) => [name, range])
    // The range of two options in a row is the second one's.
    expect(Object.fromEntries(pool)).toEqual({ ...Object.fromEntries(ranges), keepAlive: [0, 86_400_000] })
  })

  test('name every option of pg that is refused, with its reason', () => {
    const [, refused = []] = tablesOf(PAGE, 'Options of pg’s pool')
    expect(Object.fromEntries(refused.map(([option, reason]) => [codeIn(option)[0], reason]))).toEqual(REFUSED_OPTIONS)
  })

  const ranges = rows.flatMap(([options, , , range]) => {
    const [, named, min, max] = /^(?:(\w+): )?(\d+) to (\d+)(?=$|[,;])/.exec(range ?? '') ?? []
    const option = named ?? codeIn(options)[0] ?? ''
    return min === undefined ? [] : [{ option, min: Number(min), max: Number(max) }]
  })

  test('state a range for every number', () => {
    const text = readFileSync(join(REPOSITORY, 'src/settings/database-options.ts'), 'utf8')
    const numbers = [...text.matchAll(/^ {2}readonly (\w+)\?: number$/gm)].map(([, name = '']) => name)
    expect(ranges.map(({ option }) => option).toSorted()).toEqual(numbers.toSorted())
  })

  test.each(ranges)('$option is a whole number from $min to $max, in code and in the environment', (row) => {
    const { option, min, max } = row
    const name = Object.fromEntries(pairs)[option] ?? ''
    for (const value of [min, max]) {
      expect(() => readSettings({ [option]: value }, SERVER)).not.toThrow()
      expect(() => readSettings({}, { ...SERVER, [name]: String(value) })).not.toThrow()
    }
    for (const value of [min - 1, max + 1]) {
      expect(() => readSettings({ [option]: value }, SERVER)).toThrow(`from ${min} to ${max}`)
      expect(() => readSettings({}, { ...SERVER, [name]: String(value) })).toThrow(`from ${min} to ${max}`)
    }
  })
})

test.each(tableOf(PAGE, 'Cluster routing').flatMap(([value]) => codeIn(value)))('clusterRouting may be %s', (value) => {
  const { clusterRouting } = readSettings({}, { PGHOST: 'db.example.com', COCKROACH_CLUSTER_ROUTING: value })
  expect(clusterRouting).toBe(value)
})

test.each(tableOf(PAGE, 'What the module reads from Lambda').flatMap(([names]) => codeIn(names)))(
  '%s is read by settings/',
  (name) => {
    const files = ['settings.ts', 'role-access.ts'].map((file) => join(REPOSITORY, 'src/settings', file))
    expect(files.map((file) => readFileSync(file, 'utf8')).join('\n')).toMatch(new RegExp(`\\b${name}\\b`))
  },
)

describe('the usual keys', () => {
  const rows = tableOf(PAGE, 'The usual keys').map(([held = '', keys, generic]) => ({
    ...{ held, keys: codeIn(keys), generic: codeIn(generic) },
  }))
  const origin = { code: 'ERR_SECRET_INVALID', name: 'the secret' } as const

  test('are listed for a connection string and for every field', () => {
    const fields = members('src/connection-string/fields.ts', 'ConnectionFields').map((name) => `\`${name}\``)
    expect(rows.map(({ held }) => held).toSorted()).toEqual(['connection string', ...fields].toSorted())
  })

  test.each(rows)('of $held are read', ({ held, keys }) => {
    expect(keys).not.toEqual([])
    const [field] = codeIn(held)
    for (const key of keys) {
      const isUrl = field === undefined
      const value = isUrl ? 'postgresql://app@db.example.com/shop' : (NUMBERS[field] ?? WORDS[field] ?? 'text')
      const { fields } = parseSecret(JSON.stringify({ [key]: value }), { origin })
      const read = {
        ...fields,
        ...(fields.password && { password: fields.password.reveal() }),
        ...(fields.sslkey && { sslkey: fields.sslkey.reveal() }),
      }
      expect({ key, read }).toEqual({
        key,
        read: isUrl ? { host: 'db.example.com', user: 'app', dbname: 'shop' } : { [field]: value },
      })
    }
  })

  test.each(rows.filter(({ held }) => held !== 'connection string'))(
    'of $held that are generic are left to the application',
    ({ keys, generic }) => {
      expect(keys.filter((key) => !isSpecificKey(key))).toEqual(generic)
    },
  )

  const NUMBERS: Readonly<Record<string, number>> = { port: 26_258, connect_timeout: 3 }
  const WORDS: Readonly<Record<string, string>> = {
    ...{ sslmode: 'verify-full', host: 'db.example.com', channel_binding: 'require', require_auth: '!md5' },
  }
})

describe('context of the sample stack', () => {
  const names = tableOf(PAGE, 'Sample stack').flatMap(([name]) => codeIn(name))

  test('names all that is read', () => {
    expect(names).toEqual(CONTEXT_NAMES)
  })

  test.each(names)('%s becomes a prop', (name) => {
    const values = {
      ...{
        port: '26257',
        clusterRouting: 'sni',
        auth: 'jwt',
        vpc: 'true',
        dashboard: 'true',
        rotateAfterDays: '30',
        vpcId: 'vpc-0abc',
        schedule: 'rate(1 hour)',
      },
      alarmTopicArn: 'arn:aws:sns:ap-southeast-1:123456789012:on-call',
    }
    const value = new Map(Object.entries(values)).get(name) ?? 'value'
    const app = new App({ context: { [name]: value }, outdir: mkdtempSync(join(tmpdir(), 'unused-')) })
    rmSync(app.outdir, { recursive: true })
    expect(propsFromContext(app.node)).toEqual({
      [name]: { port: 26_257, vpc: true, dashboard: true, rotateAfterDays: 30 }[name] ?? value,
    })
  })
})
