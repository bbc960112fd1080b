import { describe, expect, test } from 'vitest'
import { readSettings } from '../../../src/settings/settings.ts'
import { problemsOf, WITH_SECRET } from '../../support/settings.ts'

describe('a host with a port behind it is two fields, as in a secret', () => {
  test('PGHOST', () => {
    expect(readSettings({}, { PGHOST: '127.0.0.1:5433' }).environment).toEqual({ host: '127.0.0.1', port: 5433 })
  })

  test('option host', () => {
    expect(readSettings({ host: 'db.example.com:5433' }, {}).options).toEqual({ host: 'db.example.com', port: 5433 })
  })

  test('PGHOST and PGPORT that say the same', () => {
    const { environment } = readSettings({}, { PGHOST: 'db.example.com:5433', PGPORT: '5433' })
    expect(environment).toEqual({ host: 'db.example.com', port: 5433 })
  })

  test('PGHOST and PGPORT that contradict each other are refused', () => {
    expect(problemsOf({}, { PGHOST: 'db.example.com:5433', PGPORT: '5434' })).toBe(
      'PGHOST: port and PGPORT give port different values (Keep one of them.)',
    )
  })

  test('other bad variables are reported beside that', () => {
    const environment = { PGHOST: 'db.example.com:5433', PGPORT: '5434', PGSSLMODE: 'no-verify' }
    expect(problemsOf({}, environment)).toMatch(/different values.*; PGSSLMODE is no-verify/)
  })

  test('a port out of range in PGHOST is refused under its name', () => {
    expect(problemsOf({}, { PGHOST: 'db.example.com:70000' })).toContain('PGHOST: port is 70000; expected')
  })
})

test('a bad variable is reported even where an option wins over it', () => {
  const environment = { ...WITH_SECRET, COCKROACH_MAX_CONNECTIONS: '0', PGPORT: '0' }
  const message = problemsOf({ max: 2, port: 5433 }, environment)
  for (const part of ['COCKROACH_MAX_CONNECTIONS is 0', 'PGPORT is 0']) expect(message).toContain(part)
})

test('beside option connectionString, COCKROACH_SECRET_ID is not read', () => {
  const environment = { COCKROACH_SECRET_ID: 'not an id' }
  expect(readSettings({ connectionString: 'postgresql://db.example.com' }, environment).secretId).toBeUndefined()
})
