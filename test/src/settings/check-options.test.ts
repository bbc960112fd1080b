import { expect, test } from 'vitest'
import { readSettings } from '../../../src/settings/settings.ts'
import { SECRET } from '../../support/connection-string.ts'
import { type Environment, problemsOf, readNow, WITH_SECRET } from '../../support/settings.ts'

const URL_TEXT = `postgresql://app:${SECRET}@db.example.com/shop`

test.each<[object, string]>([
  [{ secretid: 'x' }, 'unknown option "secretid"; did you mean "secretId"?'],
  [{ database: 'x' }, 'unknown option "database"; did you mean "dbname"?'],
  [{ port: '26257' }, 'option port is a string; expected a number'],
  [{ user: null }, 'option user is a null; expected a string'],
  [{ gracefulShutdown: 'true' }, 'option gracefulShutdown is a string; expected a boolean'],
  [{ secretId: '' }, 'option secretId is empty; leave it out to use COCKROACH_SECRET_ID'],
  [{ secretKey: '' }, 'option secretKey is empty; leave it out to use COCKROACH_SECRET_KEY'],
  [{ clusterRouting: '' }, 'option clusterRouting is empty; leave it out to use COCKROACH_CLUSTER_ROUTING'],
  [{ password: [SECRET] }, 'option password is a object; expected a string'],
  [{ [URL_TEXT]: 'x' }, `unknown option (${URL_TEXT.length} characters)`],
])('%j is refused', (options, message) => {
  expect(problemsOf(options)).toBe(message)
})

test('options that are no object are not quoted', () => {
  const readAny: (options: never, environment: Environment) => unknown = readSettings
  expect(() => readAny(URL_TEXT as never, WITH_SECRET)).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG', message: 'the options are a string; expected an object' }),
  )
  expect(() => readAny(null as never, WITH_SECRET)).toThrow('the options are a null; expected an object')
})

test('undefined options count as left out', () => {
  const options: object = { user: undefined, host: undefined, max: undefined }
  expect(readNow(options, WITH_SECRET)).toEqual(readNow({}, WITH_SECRET))
})

test.each(['secretId', 'connectionString'])(
  'an undefined %s is refused, since it would choose another database',
  (name) => {
    expect(problemsOf({ [name]: undefined }, WITH_SECRET)).toBe(
      `option ${name} is undefined; leave it out to use the environment's`,
    )
  },
)

test.each<[object, Environment, string]>([
  [{}, { COCKROACH_AUTH: 'jwt' }, 'jwt'],
  [{ auth: 'password' }, { COCKROACH_AUTH: 'jwt' }, 'password'],
  [{ password: 'x' }, { COCKROACH_AUTH: 'jwt' }, 'password'],
  [{ password: () => 'x' }, { COCKROACH_AUTH: 'jwt' }, 'password'],
  [{ connectionString: 'postgresql://app@db.example.com/shop' }, { COCKROACH_AUTH: 'jwt' }, 'password'],
])('with the options %o and %j the login is by %s', (options, environment, auth) => {
  expect(readSettings(options, { ...WITH_SECRET, ...environment }).auth).toBe(auth)
})

test('auth jwt and a password in code exclude each other', () => {
  const message = 'options auth "jwt" and password exclude each other; keep one'
  expect(problemsOf({ auth: 'jwt', password: SECRET })).toBe(message)
  expect(problemsOf({ auth: 'jwt', password: () => SECRET })).toBe(message)
})

test('a password function is no text: it is neither read nor shown', () => {
  const settings = readSettings({ password: () => SECRET }, WITH_SECRET)
  expect(settings.options).toEqual({})
  expect(settings.passwordFunction?.()).toBe(SECRET)
})
