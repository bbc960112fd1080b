import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Login } from '../../../cdk/rotation/login-places.ts'
import { readLogin, withLogin } from '../../../cdk/rotation/rewritten-secret.ts'
import { refusalOf, SECRET } from '../../support/connection-string.ts'

const ORIGIN = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' } as const
const NEXT: Login = { user: 'next_user', password: 'NextPassword0123456789' }
const HOST = 'db.example.com'

const url = ({ user, password }: Login): string =>
  `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${HOST}:5432/bank?sslmode=verify-full`
const quoted = (value: string): string => value.replace(/['\\]/g, '\\$&')
const json = JSON.stringify

type Form = [name: string, write: (login: Login) => string, key?: string]

/** Each form of a secret, with a login in it as that form writes it. */
const FORMS: readonly Form[] = [
  ['a URL', url],
  ['a URL with blanks and a line break around it', (login) => `\uFEFF  ${url(login)} \n`],
  ['a URL behind DATABASE_URL=, in quotes', (login) => `export DATABASE_URL="${url(login)}"`],
  ['a URL behind psql', (login) => `psql '${url(login)}'`],
  ['a URL of SQLAlchemy', (login) => url(login).replace('postgresql', 'postgresql+psycopg2')],
  [
    'a URL of JDBC',
    ({ user, password }) =>
      `jdbc:postgresql://${HOST}/bank?user=${encodeURIComponent(user)}&ssl=true&password=${encodeURIComponent(password)}`,
  ],
  [
    'a URL with & escaped by HTML',
    ({ user, password }) =>
      `postgresql://${HOST}/bank?sslmode=require&amp;user=${encodeURIComponent(user)}&amp;password=${encodeURIComponent(password)}&amp;connect_timeout=3`,
  ],
  [
    'keywords and values',
    ({ user, password }) => `host=${HOST}  user='${quoted(user)}' password = '${quoted(password)}' dbname=bank`,
  ],
  [
    'JSON with fields, indented',
    ({ user, password }) =>
      json({ host: HOST, port: 5432, username: user, password, dbname: 'bank', z: [1, { a: null }] }, null, 4),
  ],
  [
    'JSON with fields of RDS and blanks in unusual places',
    ({ user, password }) =>
      `\n{"engine" :"postgres","password":${json(password)} , "username":\t${json(user)},"host":"${HOST}","note":"caf\\u00e9 \\/ \\"x\\""}\n`,
  ],
  [
    'JSON with names of variables',
    ({ user, password }) => json({ PGHOST: HOST, PGUSER: user, PGPASSWORD: password, API_KEY: 'user:password' }),
  ],
  ['JSON with a connection string', (login) => json({ NODE_ENV: 'production', DATABASE_URL: url(login), port: 8080 })],
  [
    'JSON with a connection string in which \\u0026 stands for &',
    (login) =>
      `{"url":${json(`${url(login)}&connect_timeout=3`)
        .replaceAll('&', '\\u0026')
        .replaceAll('/', '\\/')}}`,
  ],
  [
    'JSON with a connection string and the same login beside it',
    (login) => json({ DATABASE_URL: url(login), PGUSER: login.user, PGPASSWORD: login.password, replica: url(login) }),
  ],
  [
    'JSON with a connection string without password, and the password beside it',
    ({ user, password }) =>
      json({ DATABASE_URL: `postgresql://${encodeURIComponent(user)}@${HOST}/bank`, PGPASSWORD: password }),
  ],
  [
    'JSON with fields under another key',
    ({ user, password }) => json({ db: { host: HOST, user, password }, stage: 'x' }),
  ],
  ['JSON as a text in JSON', ({ user, password }) => json(json({ host: HOST, user, password }))],
  ['JSON as a text in JSON under a key', ({ user, password }) => json({ value: json({ host: HOST, user, password }) })],
  ['JSON that was escaped once more', ({ user, password }) => json(json({ host: HOST, user, password })).slice(1, -1)],
  ['JSON in quotes', ({ user, password }) => `'${json({ host: HOST, user, password })}'`],
  ['a connection string as a text in JSON', (login) => json(url(login))],
  [
    'JSON with the key that was named, and another login beside it',
    (login) => json({ MINE: url(login), DATABASE_URL: 'postgresql://other:other@elsewhere.example.com/x' }),
    'MINE',
  ],
]

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
const special = fc.string({
  unit: fc.constantFrom(...'aZ9 \'"\\%@:/?#&=+$,;~`{}[]<>|^é€😀\t'),
  minLength: 1,
  maxLength: 12,
})
const login = fc.record({ user: fc.oneof(word, special), password: fc.oneof(word, special) })

/** False for what the library itself refuses, or reads as another login. */
function isReadAsMeant(text: string, key: string | undefined, { user, password }: Login): boolean {
  try {
    const read = readLogin(text, { origin: ORIGIN, key })
    return read.user === user && read.password.reveal() === password
  } catch {
    return false
  }
}

describe('withLogin', () => {
  test.each<Form>(FORMS)('%s keeps every other character', (_name, write, key) => {
    fc.assert(
      fc.property(login, (before) => {
        const text = write(before)
        fc.pre(isReadAsMeant(text, key, before))
        expect(withLogin(text, { origin: ORIGIN, key }, NEXT)).toBe(write(NEXT))
      }),
      { examples: [[{ user: 'app', password: SECRET }], [{ user: 'a p', password: `p'"\\%2F@é` }]] },
    )
  })

  test('a new user with special characters is written as each form needs it', () => {
    const next = { user: `o br\\ "ien@x_clone`, password: NEXT.password }
    for (const [, write, key] of FORMS) {
      const text = withLogin(write({ user: 'app', password: SECRET }), { origin: ORIGIN, key }, next)
      expect(isReadAsMeant(text, key, next)).toBe(true)
    }
  })

  test('a password alone changes where only the password is another', () => {
    const text = `host=${HOST} user=a\\ p password=${SECRET}`
    expect(withLogin(text, { origin: ORIGIN }, { ...NEXT, user: 'a p' })).toBe(
      `host=${HOST} user=a\\ p password=${NEXT.password}`,
    )
  })

  test('what has the same password as text, and not as a password, stays', () => {
    const text = json({
      url: url({ user: 'app', password: SECRET }),
      note: SECRET,
      username: 'another',
      list: [SECRET],
    })
    expect(withLogin(text, { origin: ORIGIN }, NEXT)).toBe(
      text.replace(`app:${SECRET}`, `${NEXT.user}:${NEXT.password}`),
    )
  })

  test('a replica of the same login changes with it, inside an array too', () => {
    const text = (each: Login) =>
      json({ url: url(each), replicas: [url(each), { PGUSER: each.user, PGPASSWORD: each.password }] })
    expect(withLogin(text({ user: 'app', password: SECRET }), { origin: ORIGIN }, NEXT)).toBe(text(NEXT))
  })

  test.each<[string, string, string]>([
    ['no user', json({ host: HOST, password: SECRET }), 'holds no user, so there is nothing to rotate'],
    [
      'no password',
      json({ host: HOST, user: 'app', sslcert: '/x' }),
      'holds no password, so there is nothing to rotate',
    ],
    [
      'two connection strings',
      json({ DATABASE_URL: `postgresql://a:${SECRET}@x/y`, url: `postgresql://b:${SECRET}@x/y` }),
      'holds 2 connection strings',
    ],
    ['no JSON', `{"password": "${SECRET}"`, 'malformed JSON'],
    ['nothing', ' ', 'is empty'],
  ])('a secret with %s is refused', (_name, text, message) => {
    expect(refusalOf(() => withLogin(text, { origin: ORIGIN }, NEXT))).toMatchObject({
      code: 'ERR_SECRET_INVALID',
      message: expect.stringContaining(message),
    })
  })

  test('a key that stands twice in JSON, of which the first is another password, is changed in the second alone', () => {
    const text = (password: string) => `{"host":"${HOST}","user":"app","password":"other","password":"${password}"}`
    expect(withLogin(text(SECRET), { origin: ORIGIN }, { user: 'app', password: 'new' })).toBe(text('new'))
  })
})
