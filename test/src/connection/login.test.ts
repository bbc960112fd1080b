import { describe, expect, test } from 'vitest'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { Diagnostics } from '../../../src/base/diagnostics.ts'
import { Login } from '../../../src/connection/login.ts'
import { LoginGuard } from '../../../src/connection/login-guard.ts'
import { ConnectionSource, type ResolvedConnection } from '../../../src/connection/source.ts'
import type { GetSecretValue, VersionStage } from '../../../src/secret/reader/request.ts'
import { readSettings } from '../../../src/settings/settings.ts'

const MINUTE_MS = 60_000
const HOST = 'db.example.com'

/** A secret, a server that accepts some passwords, and a clock; all three change on request. */
class World {
  now = 0
  readonly versions = new Map<VersionStage, { password: string; user?: string; versionId: string }>()
  readonly accepted: Set<string>
  /** What reached the server. */
  readonly logins: { password: string; user: string; ok: boolean; at: number }[] = []
  secretsManagerIsDown = false
  readonly login: Login
  /** How the next dials end instead, a network failure for example. */
  failure: Error | undefined

  constructor(secret: string, accepted: readonly string[], guard = new LoginGuard()) {
    this.accepted = new Set(accepted)
    this.put(secret)
    const settings = readSettings({ secretId: 'app/db' }, {})
    const get: GetSecretValue = async ({ versionStage }) => {
      const version = this.versions.get(versionStage)
      const name = this.secretsManagerIsDown ? 'InternalServiceError' : 'ResourceNotFoundException'
      if (this.secretsManagerIsDown || version === undefined) throw Object.assign(new Error(name), { name })
      const { versionId, ...fields } = version
      const secretString = JSON.stringify({ host: HOST, username: 'app', dbname: 'x', ...fields, user: undefined })
      return { secretString, versionId, createdAt: undefined }
    }
    const source = new ConnectionSource({
      ...{ settings, readers: { getCached: get, getFresh: get }, diagnostics: new Diagnostics() },
      ...{ moduleDirectory: import.meta.dirname, now: () => this.now },
    })
    this.login = new Login(source, { now: () => this.now }, guard)
  }

  put(password: string, stage: VersionStage = 'AWSCURRENT', user?: string): void {
    const versionId = `${stage} ${password} ${this.now}`
    this.versions.set(stage, { password, versionId, ...(user !== undefined && { username: user }) })
  }

  dial = async (_destination: unknown, resolve: () => Promise<ResolvedConnection>): Promise<string> => {
    const { parameters, password } = await resolve()
    const text = password?.reveal() ?? ''
    const ok = this.accepted.has(text)
    this.logins.push({ password: text, user: parameters.user, ok, at: this.now })
    await new Promise((resolve) => setImmediate(resolve))
    if (this.failure !== undefined) throw this.failure
    if (!ok) throw new ConnectionError('ERR_AUTHENTICATION', 'password authentication failed')
    return text
  }

  /** The password that got in, or the error's code. */
  open(): Promise<string> {
    return this.login.open(this.dial).catch((error: unknown) => {
      if (error instanceof ConnectionError) return error.code
      throw error
    })
  }

  get passwords(): readonly string[] {
    return this.logins.map(({ password }) => password)
  }

  get refusals(): number {
    return this.logins.filter(({ ok }) => !ok).length
  }
}

test('a right password is sent once', async () => {
  const world = new World('right', ['right'])
  expect(await world.open()).toBe('right')
  expect(world.passwords).toEqual(['right'])
})

describe('a rotated password', () => {
  test('that is current already is read again and tried once', async () => {
    const world = new World('old', ['old'])
    await world.open()
    world.accepted.delete('old')
    world.accepted.add('new')
    world.put('new')
    expect(await world.open()).toBe('new')
    expect(world.passwords).toEqual(['old', 'old', 'new'])
    expect(await world.open()).toBe('new')
    expect(world.refusals).toBe(1)
  })

  test('that is AWSPENDING still is tried once, and kept', async () => {
    const world = new World('old', ['new'])
    world.put('new', 'AWSPENDING')
    expect(await world.open()).toBe('new')
    expect(await world.open()).toBe('new')
    expect(world.passwords).toEqual(['old', 'new', 'new'])
  })

  test('that changed is tried, and AWSPENDING then is not', async () => {
    const world = new World('old', ['pending'])
    world.put('pending', 'AWSPENDING')
    await world.login.open(async () => undefined)
    world.put('changed')
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    expect(world.passwords).toEqual(['old', 'changed'])
  })

  test('an AWSPENDING equal to the current one is not tried', async () => {
    const world = new World('old', [])
    world.put('old', 'AWSPENDING')
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    expect(world.passwords).toEqual(['old'])
  })

  test('refused as AWSPENDING is tried again at once when it has become current', async () => {
    const world = new World('old', [])
    world.put('new', 'AWSPENDING')
    await world.open()
    world.accepted.add('new')
    world.put('new')
    world.now = 10_000
    expect(await world.open()).toBe('new')
  })
})

describe('a refused password', () => {
  test('is not sent again for a minute, then for growing whiles', async () => {
    const world = new World('wrong', [])
    const logins: number[] = []
    for (let minute = 0; minute <= 20; minute += 1) {
      world.now = minute * MINUTE_MS
      expect(await world.open()).toBe('ERR_AUTHENTICATION')
      logins.push(world.logins.length)
    }
    expect(world.logins.map(({ at }) => at / MINUTE_MS)).toEqual([0, 1, 3, 7, 15])
  })

  test('waits a minute again, and no longer, once it was accepted in between', async () => {
    const world = new World('wrong', [])
    await world.open()
    world.now += MINUTE_MS
    world.accepted.add('wrong')
    expect(await world.open()).toBe('wrong')
    world.accepted.clear()
    await world.open()
    world.now += MINUTE_MS
    world.accepted.add('wrong')
    expect(await world.open()).toBe('wrong')
  })

  test('counts when the password after it fails for another reason', async () => {
    const world = new World('wrong', [])
    world.put('coming', 'AWSPENDING')
    const breakAfterFirst: typeof world.dial = (destination, resolve) =>
      world.dial(destination, resolve).finally(() => {
        world.failure = new ConnectionError('ERR_CONNECT', 'refused')
      })
    await expect(world.login.open(breakAfterFirst)).rejects.toMatchObject({ code: 'ERR_CONNECT' })
    world.failure = undefined
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    expect(world.passwords).toEqual(['wrong', 'coming'])
  })

  test('is reported with the time that is left, and no password', async () => {
    const world = new World('wrong', [])
    await world.open()
    world.now = 15_500
    await expect(world.login.open(world.dial)).rejects.toMatchObject({
      code: 'ERR_AUTHENTICATION',
      message: 'the server refused this password for user "app"; it is not tried again for 45 s',
      hint: 'Correct the secret: a changed password is used within a second.',
      safeToRetry: true,
    })
  })

  test('is unblocked when the secret changes, looked up every second', async () => {
    const world = new World('wrong', ['right'])
    await world.open()
    world.put('right')
    world.now = 999
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    world.now = 1000
    expect(await world.open()).toBe('right')
    expect(world.passwords).toEqual(['wrong', 'right'])
  })

  test('is unblocked when another user gets the same password', async () => {
    const world = new World('shared', [])
    await world.open()
    world.accepted.add('shared')
    world.put('shared', 'AWSCURRENT', 'other')
    world.now = 10_000
    expect(await world.open()).toBe('shared')
    expect(world.logins.map(({ user }) => user)).toEqual(['app', 'other'])
  })

  test('changed to another wrong one, both stay blocked', async () => {
    const world = new World('wrong', [])
    await world.login.open(async () => undefined)
    world.put('wrong too')
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    world.put('wrong')
    for (world.now = 1000; world.now < MINUTE_MS; world.now += 1000) await world.open()
    expect(world.passwords).toEqual(['wrong', 'wrong too'])
  })

  test('is not forgotten while Secrets Manager is down', async () => {
    const world = new World('wrong', [])
    await world.login.open(async () => undefined)
    world.secretsManagerIsDown = true
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    world.now = 30_000
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    expect(world.passwords).toEqual(['wrong'])
  })

  test('without a secret has a hint that names none', async () => {
    const unused: GetSecretValue = () => expect.fail('there is no secret')
    const settings = readSettings({}, { PGHOST: HOST, PGUSER: 'app', PGPASSWORD: 'wrong' })
    const readers = { getCached: unused, getFresh: unused }
    const source = new ConnectionSource({
      ...{ settings, readers, diagnostics: new Diagnostics(), moduleDirectory: import.meta.dirname, now: () => 0 },
    })
    const login = new Login(source, { now: () => 0 }, new LoginGuard())
    const { dial } = new World('wrong', [])
    await expect(login.open(dial)).rejects.toMatchObject({ code: 'ERR_AUTHENTICATION' })
    await expect(login.open(dial)).rejects.toMatchObject({
      hint: 'Correct the password in DATABASE_URL, PGPASSWORD or the options, and start again.',
    })
  })
})

describe('ten opens at once', () => {
  const open10 = (world: World) => Promise.all(Array.from({ length: 10 }, () => world.open()))

  test('with a wrong password reach the server once', async () => {
    const world = new World('wrong', [])
    expect(await open10(world)).toEqual(Array(10).fill('ERR_AUTHENTICATION'))
    expect(world.passwords).toEqual(['wrong'])
  })

  test('in the midst of a rotation are refused once', async () => {
    const world = new World('old', ['new'])
    world.put('new', 'AWSPENDING')
    expect(await open10(world)).toEqual(Array(10).fill('new'))
    expect(world.refusals).toBe(1)
  })

  test('after a rotation of a password that worked are refused once', async () => {
    const world = new World('old', ['old'])
    await open10(world)
    world.accepted.clear()
    world.accepted.add('new')
    world.put('new')
    expect(await open10(world)).toEqual(Array(10).fill('new'))
    expect(world.refusals).toBe(1)
  })

  test('with a right password go side by side once the first is in', async () => {
    const world = new World('right', ['right'])
    let underWay = 0
    let most = 0
    const dial = async (destination: unknown, resolve: () => Promise<ResolvedConnection>): Promise<string> => {
      underWay += 1
      most = Math.max(most, underWay)
      return world.dial(destination, resolve).finally(() => (underWay -= 1))
    }
    await Promise.all(Array.from({ length: 10 }, () => world.login.open(dial)))
    expect(most).toBe(9)
  })

  test('every minute send at most three wrong logins in one, whatever the secret holds', async () => {
    const world = new World('wrong', [])
    world.put('pending', 'AWSPENDING')
    for (world.now = 0; world.now < 5 * MINUTE_MS; world.now += 5000) await open10(world)
    for (const { at } of world.logins) {
      expect(world.logins.filter((other) => other.at >= at && other.at < at + MINUTE_MS).length).toBeLessThanOrEqual(3)
    }
  })
})

describe('databases that share a guard', () => {
  test('one after the other send a wrong password once, and each tells how long it waits', async () => {
    const guard = new LoginGuard()
    const worlds = Array.from({ length: 10 }, () => new World('wrong', [], guard))
    for (const world of worlds) expect(await world.open()).toBe('ERR_AUTHENTICATION')
    expect(worlds.flatMap(({ passwords }) => passwords)).toEqual(['wrong'])
  })

  test('at once send a wrong password once', async () => {
    const guard = new LoginGuard()
    const worlds = Array.from({ length: 10 }, () => new World('wrong', [], guard))
    expect(await Promise.all(worlds.map((world) => world.open()))).toEqual(Array(10).fill('ERR_AUTHENTICATION'))
    expect(worlds.flatMap(({ passwords }) => passwords)).toEqual(['wrong'])
  })

  test('at once with a right password all get in', async () => {
    const guard = new LoginGuard()
    const worlds = Array.from({ length: 10 }, () => new World('right', ['right'], guard))
    expect(await Promise.all(worlds.map((world) => world.open()))).toEqual(Array(10).fill('right'))
  })

  test('go on with the corrected secret, though the wrong one is blocked', async () => {
    const guard = new LoginGuard()
    await new World('wrong', [], guard).open()
    const world = new World('wrong', ['right'], guard)
    world.put('right')
    expect(await world.open()).toBe('right')
  })

  test('do not send a coming password that was refused another one', async () => {
    const guard = new LoginGuard()
    await new World('wrong too', [], guard).open()
    const world = new World('wrong', [], guard)
    await world.login.open(async () => undefined)
    world.put('wrong too')
    expect(await world.open()).toBe('ERR_AUTHENTICATION')
    expect(world.passwords).toEqual(['wrong'])
  })

  test('wait for nobody after a failure of the network', async () => {
    const guard = new LoginGuard()
    const [first, second] = [new World('right', ['right'], guard), new World('right', ['right'], guard)]
    first.failure = new ConnectionError('ERR_CONNECT', 'refused')
    expect(await Promise.all([first.open(), second.open()])).toEqual(['ERR_CONNECT', 'right'])
  })
})

describe('other failures', () => {
  test('are passed on, block nothing and are not cached', async () => {
    const world = new World('right', ['right'])
    world.failure = new ConnectionError('ERR_CONNECT', 'refused')
    expect(await world.open()).toBe('ERR_CONNECT')
    world.failure = undefined
    expect(await world.open()).toBe('right')
    expect(world.passwords).toEqual(['right', 'right'])
  })

  test('of the secret are passed on, and the next one tries again', async () => {
    const world = new World('right', ['right'])
    world.secretsManagerIsDown = true
    expect(await world.open()).toBe('ERR_SECRET_UNAVAILABLE')
    world.secretsManagerIsDown = false
    expect(await world.open()).toBe('right')
  })
})
