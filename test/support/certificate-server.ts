/** A PostgreSQL of its own with TLS, whose users log in with client certificates. */
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
// First: @peculiar/x509 throws while loading without it.
import 'reflect-metadata'
import { ExtendedKeyUsage } from '@peculiar/x509'
import { unprivilegedUser } from '../../local/postgres/binaries.ts'
import { PostgresServer } from '../../local/postgres/server.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import { type CertificateOptions, credentialsOf, makeCertificate, type Signer } from './tls-server.ts'

/** `app` and its like need a certificate of their name, `both` a password as well, `plain` and `hashed` a password alone. */
const HBA = `
host    all postgres all scram-sha-256
hostssl all both     all scram-sha-256 clientcert=verify-full
hostssl all plain    all scram-sha-256
hostssl all hashed   all md5
hostssl all all      all cert
`

export interface Pair {
  readonly cert: string
  readonly key: string
}

export interface CertificateServer extends AsyncDisposable {
  readonly server: PostgresServer
  /** PEM, of the server's authority. */
  readonly root: string
  /** The server's own. */
  readonly serverPair: Pair
  /** The authority that the server trusts its clients by. */
  readonly authority: Signer
  /** A client's certificate, of that authority unless the options say another. */
  issue(name: string, options?: Partial<CertificateOptions>, ...chain: readonly Signer[]): Promise<Pair>
  /** What a login needs beside certificate and key. */
  login(user?: string): { host: string; port: number; user: string; dbname: string; sslrootcert: string }
}

function pairOf({ cert, key }: Awaited<ReturnType<typeof credentialsOf>>): Pair {
  return { cert: String(cert), key: String(key) }
}

/** @param users who may log in, with `app` */
export async function openCertificateServer(users: readonly string[] = []): Promise<CertificateServer> {
  const folder = await TemporaryFolder.open()
  const authority = await makeCertificate({ name: 'Client Root', isAuthority: true })
  const serverRoot = await makeCertificate({ name: 'Server Root', isAuthority: true })
  const leaf = await makeCertificate({
    ...{ name: 'localhost', host: 'localhost', signer: serverRoot, purpose: ExtendedKeyUsage.serverAuth },
  })
  const { cert, key } = pairOf(await credentialsOf(leaf))
  const { uid, gid } = await unprivilegedUser()
  const write = (name: string, text: string): string => {
    const path = join(folder.path, name)
    writeFileSync(path, text, { mode: 0o600 })
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
    return path
  }
  if (uid !== undefined && gid !== undefined) chownSync(folder.path, uid, gid)
  const settings = {
    ssl: 'on',
    ssl_cert_file: write('server.crt', cert),
    ssl_key_file: write('server.key', key),
    ssl_ca_file: write('clients.crt', authority.certificate.toString('pem')),
    hba_file: write('pg_hba.conf', HBA),
  }
  const server = await PostgresServer.start({ settings })
  for (const user of ['app', 'both', 'plain', ...users]) await server.createUser(user, `password of ${user}`)
  return {
    ...{ server, authority, root: serverRoot.certificate.toString('pem'), serverPair: { cert, key } },
    async issue(name, options = {}, ...chain) {
      const purpose = ExtendedKeyUsage.clientAuth
      return pairOf(
        await credentialsOf(await makeCertificate({ name, signer: authority, purpose, ...options }), ...chain),
      )
    },
    login: (user = 'app') => ({
      ...{ host: 'localhost', port: server.port, user, dbname: 'postgres' },
      sslrootcert: serverRoot.certificate.toString('pem'),
    }),
    async [Symbol.asyncDispose]() {
      await server.stop()
      await folder[Symbol.asyncDispose]()
    },
  }
}
