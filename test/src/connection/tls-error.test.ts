/** Real handshakes: a server whose certificates are at fault, or which does not get that far. */
import type { webcrypto } from 'node:crypto'
import type { Socket } from 'node:net'
// First: @peculiar/x509 throws while loading without it.
import 'reflect-metadata'
import { ExtendedKeyUsage } from '@peculiar/x509'
import { describe, expect, test } from 'vitest'
import { createDatabase } from '../../../src/index.ts'
import { credentialsOf, makeCertificate, permitOnly, type Signer, startTlsServer } from '../../support/tls-server.ts'

type Options = Partial<Parameters<typeof makeCertificate>[0]>
const HOST = 'localhost'
const root = await makeCertificate({ name: 'Root', isAuthority: true })

function rsa(modulusLength: number, hash = 'SHA-256'): webcrypto.RsaHashedKeyGenParams {
  return { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash }
}

function leaf(signer: Signer | undefined, options: Options = {}): Promise<Signer> {
  const purpose = ExtendedKeyUsage.serverAuth
  return makeCertificate({ name: HOST, host: HOST, purpose, ...(signer && { signer }), ...options })
}

/** A leaf that an authority between it and the root signed. */
async function through(options: Options) {
  const between = await makeCertificate({ name: 'Between', isAuthority: true, signer: root, ...options })
  return credentialsOf(await leaf(between), between)
}

async function tooLong() {
  const first = await makeCertificate({ name: 'First', isAuthority: true, signer: root, pathLength: 0 })
  const second = await makeCertificate({ name: 'Second', isAuthority: true, signer: first })
  return credentialsOf(await leaf(second), second, first)
}

const good = async () => credentialsOf(await leaf(root))
const CERTIFICATES = 'The server needs other certificates'
const AUTHORITY = 'Is the certificate authority right?'

/** What a login to it fails with; it must hear nothing inside of TLS. */
async function failure(credentials: Parameters<typeof startTlsServer>[0], instead?: (socket: Socket) => void) {
  await using server = await startTlsServer(credentials, instead)
  const database = createDatabase({
    ...{ host: HOST, port: server.port, user: 'app', password: 'pw', dbname: 'd', connect_timeout: 1 },
    sslrootcert: root.certificate.toString('pem'),
  })
  const { error } = await database.healthCheck()
  await database.close()
  return { code: error?.code, hint: error?.hint, message: error?.message, heard: server.heard() }
}

describe('a certificate', () => {
  test.each<[string, () => ReturnType<typeof credentialsOf>, string]>([
    [
      'for clients',
      async () => credentialsOf(await leaf(root, { purpose: ExtendedKeyUsage.clientAuth })),
      CERTIFICATES,
    ],
    ['outside its authority’s names', () => through({ extensions: [permitOnly('example.org')] }), CERTIFICATES],
    [
      'with an RSA key of 1024 bits',
      async () => credentialsOf(await leaf(root, { algorithm: rsa(1024) })),
      CERTIFICATES,
    ],
    ['of an authority with an RSA key of 1024 bits', () => through({ algorithm: rsa(1024) }), CERTIFICATES],
    ['signed with SHA-1', () => through({ algorithm: rsa(2048, 'SHA-1') }), CERTIFICATES],
    ['of an authority that is none', () => through({ isAuthority: false }), CERTIFICATES],
    ['below more authorities than allowed', tooLong, CERTIFICATES],
    ['of an expired authority', () => through({ validForDays: [-9, -1] }), 'has expired'],
    ['that expired', async () => credentialsOf(await leaf(root, { validForDays: [-9, -1] })), 'has expired'],
    ['of tomorrow', async () => credentialsOf(await leaf(root, { validForDays: [1, 9] })), 'is not valid yet'],
    ['for another host', async () => credentialsOf(await leaf(root, { host: 'other.example' })), 'Set host to a name'],
    ['signed by itself', async () => credentialsOf(await leaf(undefined)), AUTHORITY],
    [
      'of another authority',
      async () => credentialsOf(await leaf(await makeCertificate({ name: 'Other', isAuthority: true }))),
      AUTHORITY,
    ],
    [
      'of another authority of the same name',
      async () => credentialsOf(await leaf(await makeCertificate({ name: 'Root', isAuthority: true }))),
      AUTHORITY,
    ],
  ])('%s is ERR_TLS, and its hint says what to do', async (_, credentials, hint) => {
    const found = await failure(await credentials())
    expect(found).toMatchObject({ code: 'ERR_TLS', hint: expect.stringContaining(hint), heard: 0 })
  })

  test('that is right is accepted', async () => {
    const { code, hint, heard } = await failure(await good())
    expect({ code, hint }).toEqual({
      code: 'ERR_CONNECT',
      hint: expect.stringContaining('The server was verified, but is slow to log in'),
    })
    expect(heard).toBeGreaterThan(0)
  })
})

const ENDED = 'The server ended the handshake'

describe('a handshake', () => {
  test.each<[string, () => ReturnType<typeof credentialsOf>]>([
    ['of TLS 1.1', async () => ({ ...(await good()), minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })],
    [
      'without a cipher in common',
      async () => ({ ...(await good()), maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-NULL-SHA@SECLEVEL=0' }),
    ],
    ['with a server that has no certificate', async () => ({})],
  ])('%s is ERR_TLS, ended by the server', async (_, credentials) => {
    const found = await failure(await credentials())
    expect(found).toMatchObject({ code: 'ERR_TLS', hint: expect.stringContaining(ENDED), heard: 0 })
  })

  test.each<[string, (socket: Socket) => void, string, string]>([
    ['answered with an alert', (socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 80])), 'ERR_TLS', ENDED],
    ['answered with something else', (socket) => socket.end('no TLS'), 'ERR_TLS', 'Is this the port of the database?'],
    ['closed', (socket) => socket.end(), 'ERR_CONNECT', 'closed the connection during login'],
    ['reset', (socket) => socket.resetAndDestroy(), 'ERR_CONNECT', 'closed the connection during login'],
    ['left without an answer', () => undefined, 'ERR_CONNECT', 'The address was reached, but the server is silent'],
  ])('%s is reported so: the network’s errors are ERR_CONNECT', async (_, answer, code, hint) => {
    const found = await failure({}, (socket) => socket.once('data', () => answer(socket)))
    expect(found).toMatchObject({ code, hint: expect.stringContaining(hint) })
  })
})
