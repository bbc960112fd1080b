/** Certificates with a fault, and a server that answers SSLRequest and shakes hands with them. */
import type { webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls'
// First: @peculiar/x509 throws while loading without it.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
/** The server itself objects to nothing. */
const ANY_STRENGTH = 'DEFAULT@SECLEVEL=0'

/** A certificate with its keys, to sign others with. */
export interface Signer {
  readonly certificate: x509.X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
}

export interface CertificateOptions {
  readonly name: string
  /** The certificate's own key signs without one. */
  readonly signer?: Signer
  readonly isAuthority?: boolean
  readonly pathLength?: number
  /** @default ECDSA P-256 with SHA-256 */
  readonly algorithm?: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams
  readonly signedWith?: 'SHA-1' | 'SHA-256'
  readonly purpose?: x509.ExtendedKeyUsage
  readonly host?: string
  readonly validForDays?: readonly [from: number, to: number]
  readonly extensions?: readonly x509.Extension[]
}

export async function makeCertificate(options: CertificateOptions): Promise<Signer> {
  const { name, signer, isAuthority = false, host, purpose, validForDays = [-1, 30], algorithm = EC } = options
  const keys = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const signing = signer?.keys.privateKey ?? keys.privateKey
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(8)))
      .toString('hex')
      .replace(/^./, '4'),
    subject: `CN=${name}`,
    issuer: signer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(Date.now() + validForDays[0] * DAY_MS),
    notAfter: new Date(Date.now() + validForDays[1] * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: signing,
    signingAlgorithm: { name: signing.algorithm.name, hash: options.signedWith ?? 'SHA-256' },
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, options.pathLength, true),
      ...(purpose === undefined ? [] : [new x509.ExtendedKeyUsageExtension([purpose])]),
      ...(host === undefined ? [] : [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])]),
      ...(options.extensions ?? []),
    ],
  })
  return { certificate, keys }
}

/** The extension that lets an authority sign for names below `domain` only. */
export function permitOnly(domain: string): x509.Extension {
  const tagged = (tag: number, content: Buffer): Buffer => Buffer.concat([Buffer.from([tag, content.length]), content])
  const subtree = tagged(0x30, tagged(0x82, Buffer.from(domain)))
  return new x509.Extension('2.5.29.30', true, tagged(0x30, tagged(0xa0, subtree)))
}

/** What a server shows: its own certificate first. */
export async function credentialsOf(leaf: Signer, ...chain: readonly Signer[]): Promise<SecureContextOptions> {
  const cert = [leaf, ...chain].map(({ certificate }) => certificate.toString('pem')).join('\n')
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', leaf.keys.privateKey), 'PRIVATE KEY')
  return { cert, key }
}

export interface TlsServer extends AsyncDisposable {
  readonly port: number
  /** What it heard inside of TLS, of all connections. */
  readonly heard: () => number
}

/** Says yes to SSLRequest, and then shakes hands, or does what `instead` says; `answer` is for what comes inside of TLS. */
export async function startTlsServer(
  context: SecureContextOptions,
  instead?: (socket: Socket) => void,
  answer?: Buffer,
): Promise<TlsServer> {
  let heard = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write('S')
      if (instead !== undefined) {
        instead(socket)
        return
      }
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: createSecureContext({ ciphers: ANY_STRENGTH, ...context }),
      })
      secure.on('error', () => undefined)
      if (answer !== undefined) secure.once('data', () => secure.write(answer))
      secure.on('data', (data) => {
        heard += data.length
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port')
  return {
    port: address.port,
    heard: () => heard,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}
