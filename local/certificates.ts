/** A certificate authority made at run time, for the stand-ins; its private key is in memory only. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
// First: @peculiar/x509 throws while loading without it.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const ONE_HOUR_MS = 3_600_000
const ONE_DAY_MS = 24 * ONE_HOUR_MS

/** A server's certificate and its private key, both as PEM text. */
export interface ServerCertificate {
  readonly certificate: string
  readonly privateKey: string
}

export interface ServerCertificateOptions {
  /** DNS names (a leading `*.` is allowed) and IP addresses, all of them subject alternative names. */
  readonly hosts: readonly string[]
  /** @default one hour ago */
  readonly notBefore?: Date
  /** @default in 30 days */
  readonly notAfter?: Date
  /** @default the first host */
  readonly commonName?: string
}

export interface CertificateAuthority {
  /** The root certificate, PEM: what a client gives as `sslrootcert`. */
  readonly certificate: string
  issue(options: ServerCertificateOptions): Promise<ServerCertificate>
}

/** Makes a root CA (ECDSA P-256, ten years) that OpenSSL and Node accept for verify-full. */
export async function createCertificateAuthority(commonName: string): Promise<CertificateAuthority> {
  const authorityKeys = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify'])
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(Date.now() - ONE_DAY_MS),
    notAfter: new Date(Date.now() + 10 * 365 * ONE_DAY_MS),
    keys: authorityKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  })

  return {
    certificate: pem(authority),
    async issue({ hosts, notBefore, notAfter, commonName: subject }) {
      const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: [{ CN: [subject ?? hosts[0] ?? 'server'] }],
        issuer: authority.subject,
        notBefore: notBefore ?? new Date(Date.now() - ONE_HOUR_MS),
        notAfter: notAfter ?? new Date(Date.now() + 30 * ONE_DAY_MS),
        publicKey: keys.publicKey,
        signingKey: authorityKeys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(
            hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
          ),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
        ],
      })
      const privateKey = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
      return { certificate: pem(certificate), privateKey: x509.PemConverter.encode(privateKey, 'PRIVATE KEY') }
    },
  }
}

/** Node's PEM rather than the package's: it ends in a newline, so that several can stand in one file. */
function pem(certificate: x509.X509Certificate): string {
  return new X509Certificate(Buffer.from(certificate.rawData)).toString()
}

/** 127 random bits; the first byte is kept between 0x40 and 0x7f, since a serial number must be positive. */
function serialNumber(): string {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0)
  return bytes.toString('hex')
}
