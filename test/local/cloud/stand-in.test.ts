import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { CloudStandIn } from '../../../local/cloud/stand-in.ts'
import { ask } from '../../support/cloud-client.ts'
import { openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud

beforeAll(async () => {
  cloud = await openCloud()
})

afterAll(() => cloud[Symbol.asyncDispose]())

describe('a client that verifies refuses', () => {
  test('a certificate that has expired, and accepts the next one', async () => {
    const { standIn, authority, host } = cloud
    standIn.certificate = await authority.issue({ hosts: [host], notBefore: new Date(0), notAfter: new Date(1e12) })
    await expect(ask(cloud.clientConfig())).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' })
    standIn.certificate = await authority.issue({ hosts: [host] })
    expect(await ask(cloud.clientConfig())).toEqual({ one: 1 })
  })

  test("another host's certificate", async () => {
    const { standIn, authority, host } = cloud
    standIn.certificate = await authority.issue({ hosts: ['lazy-roach-77.7tt.aws-ap-southeast-1.cockroachlabs.cloud'] })
    await expect(ask(cloud.clientConfig())).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    standIn.certificate = await authority.issue({ hosts: [host] })
  })

  test("another authority's certificate", async () => {
    const { certificate } = await createCertificateAuthority('Stranger Root CA')
    await expect(ask(cloud.clientConfig({ ssl: { ca: certificate } }))).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    })
  })
})

test('an ordinary server routes nothing', async () => {
  await using plain = await openCloud({ routing: false, hosts: ['db.cockroachlabs.cloud'], tenants: [] })
  const config = plain.clientConfig({ database: plain.database })
  expect(await ask(config, 'select current_database() as name')).toEqual({ name: plain.database })
  await expect(ask(plain.clientConfig({ database: 'cozy-otter-4821.x' }))).rejects.toMatchObject({
    code: '3D000',
    message: 'database "cozy-otter-4821.x" does not exist',
  })
  await expect(ask({ ...config, ssl: false })).rejects.toMatchObject({ code: '28000', message: /no encryption$/ })
})

test('the port is closed after stop', async () => {
  const standIn = await CloudStandIn.start({ postgres: { port: 1 }, authority: cloud.authority, hosts: ['localhost'] })
  const { port } = standIn
  await standIn.stop()
  await standIn.stop()
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
