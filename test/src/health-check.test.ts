import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openProduct, type Product } from '../support/product.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.cloud.standIn.resetCounts()
  product.secretsManager.requests.length = 0
})

describe('healthCheck()', () => {
  test('reports server, connection, TLS, root certificate, secret and timings', async () => {
    const { cloud, secretId } = product
    const { healthCheck } = product.database()
    await healthCheck()
    const report = await healthCheck()
    expect(report).toMatchObject({
      ok: true,
      server: { name: 'PostgreSQL', version: expect.stringMatching(/^18\./) },
      connection: {
        host: cloud.host,
        database: 'cozy-otter-4821.defaultdb',
        cluster: 'cozy-otter-4821',
        user: cloud.user,
        reused: true,
        uses: 2,
        backendPid: expect.any(Number),
      },
      tls: {
        authorized: true,
        protocol: 'TLSv1.3',
        chain: [{ daysLeft: expect.any(Number) }, { subject: 'Stand-in Root CA' }],
      },
      rootCertificate: { origin: 'secret' },
      secret: { versionId: expect.any(String), versionStage: 'AWSCURRENT' },
      timings: {
        totalMs: expect.any(Number),
        opening: { tcpMs: expect.any(Number), tlsMs: expect.any(Number), loginMs: expect.any(Number) },
      },
    })
    expect(JSON.stringify(report)).not.toContain(cloud.password)
    expect(secretId).toBe('app/db')
  })

  test('reports a CockroachDB server by the version that it gives', async () => {
    const { cloud } = product
    cloud.standIn.crdbVersion = 'CockroachDB CCL v25.4.2'
    const report = await product.database().healthCheck()
    cloud.standIn.crdbVersion = undefined
    expect(report.server).toEqual({ name: 'CockroachDB', version: 'CockroachDB CCL v25.4.2' })
  })

  test('reports an absent secret by code and hint, and does not throw', async () => {
    const report = await product.database({ secretId: 'absent' }).healthCheck()
    expect(report).toMatchObject({ ok: false, error: { code: 'ERR_SECRET_UNAVAILABLE', hint: expect.any(String) } })
  })

  test('reports a port out of range by its code', async () => {
    expect(await product.database({ port: 70_000 }).healthCheck()).toMatchObject({
      ok: false,
      error: { code: 'ERR_CONFIG' },
    })
  })
})
