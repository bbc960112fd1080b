import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../../support/cloud-client.ts'
import { openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud

beforeAll(async () => {
  cloud = await openCloud()
})

afterAll(() => cloud[Symbol.asyncDispose]())

test('after two wrong passwords the right one is refused too, until the window is over', async () => {
  cloud.standIn.throttle = { maxFailures: 2, windowMs: 600_000 }
  await ask(cloud.clientConfig())
  cloud.standIn.resetCounts()
  for (let failures = 0; failures < 2; failures += 1)
    await expect(ask(cloud.clientConfig({ password: 'wrong' }))).rejects.toMatchObject({ code: '28P01' })
  const message = 'codeProxyRefusedConnection: too many failed authentication attempts'
  await expect(ask(cloud.clientConfig())).rejects.toMatchObject({ code: '08C00', message })
  expect(cloud.standIn.counts.logins).toBe(2)
  cloud.standIn.throttle = { maxFailures: 2, windowMs: 0 }
  expect(await ask(cloud.clientConfig())).toEqual({ one: 1 })
})
