import { describe, expect, test } from 'vitest'
import { read, warningsOf } from '../../support/connection-string.ts'

const APP = { user: 'app', password: 'pw', host: 'db.example.com', port: 5433, dbname: 'orders' }

describe('wrappings', () => {
  const url = 'postgresql://app:pw@db.example.com:5433/orders'
  test.each([
    ` ${url}\n`,
    `\uFEFF${url}`,
    `"${url}"`,
    `'${url}'`,
    `"${url}",`,
    `“${url}”`,
    `DATABASE_URL=${url}`,
    `DATABASE_URL="${url}"\n`,
    `export DATABASE_URL='${url}'`,
    `$env:DATABASE_URL = "${url}"`,
    `DATABASE_URL: ${url}`,
    `psql "${url}"`,
    `cockroach sql --url '${url}'`,
    'PG_DSN="host=db.example.com port=5433 user=app password=pw dbname=orders"',
  ])('%j', (text) => {
    expect(read(text)).toStrictEqual(APP)
  })

  test('blanks are removed without a warning, quotes with a warning', () => {
    expect(warningsOf(` ${url}\n`)).toEqual([])
    expect(warningsOf(`"${url}"`)).toEqual(['DATABASE_URL: removed around the connection string: quotes'])
  })

  test.each(['&amp;', '\\u0026'])('%s between parameters is read as &', (separator) => {
    const text = `postgresql://h/d?sslmode=require${separator}application_name=me`
    expect(read(text)).toMatchObject({ sslmode: 'require', application_name: 'me' })
    expect(warningsOf(text)).toHaveLength(1)
  })
})
