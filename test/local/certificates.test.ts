import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type TLSSocket } from 'node:tls'
import getPort from 'get-port'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type ServerCertificateOptions,
} from '../../local/certificates.ts'

const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const YESTERDAY = new Date(Date.now() - 86_400_000)
const TOMORROW = new Date(Date.now() + 86_400_000)

let authority: CertificateAuthority
let stranger: CertificateAuthority

beforeAll(async () => {
  authority = await createCertificateAuthority('Test Root CA')
  stranger = await createCertificateAuthority('Test Root CA')
})

/** The code of the error with which Node refuses the server, or the names in the server's certificate. */
async function handshake(issuer: CertificateAuthority, options: ServerCertificateOptions, servername: string) {
  const { certificate, privateKey } = await issuer.issue(options)
  const server = createServer({ cert: certificate, key: privateKey }, (socket) => socket.end())
  const port = await getPort()
  server.on('tlsClientError', () => undefined).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: authority.certificate, servername })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate().subjectaltname
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  } finally {
    socket.destroy()
    server.close()
  }
}

describe('Node', () => {
  const rows: [string, ServerCertificateOptions, string, string][] = [
    ['accepts a host of the certificate', { hosts: [HOST, '127.0.0.1'] }, HOST, `DNS:${HOST}, IP Address:127.0.0.1`],
    ['accepts a wildcard', { hosts: ['*.cockroachlabs.cloud'] }, 'a.cockroachlabs.cloud', 'DNS:*.cockroachlabs.cloud'],
    ['refuses another host', { hosts: ['other.example'] }, HOST, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'refuses a host in the common name only',
      { hosts: ['other.example'], commonName: HOST },
      HOST,
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    [
      'refuses an expired certificate',
      { hosts: [HOST], notBefore: new Date(0), notAfter: YESTERDAY },
      HOST,
      'CERT_HAS_EXPIRED',
    ],
    ['refuses a certificate of the future', { hosts: [HOST], notBefore: TOMORROW }, HOST, 'CERT_NOT_YET_VALID'],
  ]
  test.each(rows)('%s', async (_, options, servername, expected) => {
    expect(await handshake(authority, options, servername)).toBe(expected)
  })

  test('refuses another authority of the same name', async () => {
    expect(await handshake(stranger, { hosts: [HOST] }, HOST)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })
})

test('the authority is a CA, and the server certificate is not', async () => {
  const root = new X509Certificate(authority.certificate)
  const server = new X509Certificate((await authority.issue({ hosts: [HOST] })).certificate)
  expect([root.ca, server.ca, server.checkIssued(root), server.keyUsage]).toEqual([
    true,
    false,
    true,
    ['1.3.6.1.5.5.7.3.1'],
  ])
})
