/** HTTPS servers that play Secrets Manager and STS, and processes whose environment weakens Node's own defaults. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type ServerCertificate,
} from '../../../local/certificates.ts'

const PROGRAM = fileURLToPath(new URL('../../support/read-secret.ts', import.meta.url))
const ANSWER = JSON.stringify({ SecretString: 'the secret', VersionId: '1', CreatedDate: 1 })
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-tls-'))
let authority: CertificateAuthority
let server: ServerCertificate

beforeAll(async () => {
  authority = await createCertificateAuthority('Impostor CA')
  server = await authority.issue({ hosts: ['localhost', '127.0.0.1'] })
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

interface Outcome {
  /** What the request of our own and the SDK came to: the secret, or a code of Node. */
  readonly read: unknown
  /** The requests that the server heard. */
  readonly heard: number
}

/** Reads the secret from an HTTPS server on loopback, which has none but our own CA's certificate. */
async function readFrom(options: ServerOptions, variables: (url: string) => NodeJS.ProcessEnv): Promise<Outcome> {
  let heard = 0
  const { certificate: cert, privateKey: key } = server
  const listener = createServer({ cert, key, ...options }, (_, response) => {
    heard += 1
    response.end(ANSWER)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') expect.fail('no TCP port')
  const env = { PATH: process.env.PATH, AWS_REGION: 'us-east-1', ...variables(`https://localhost:${address.port}`) }
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], { env })
  listener.close()
  listener.closeAllConnections()
  return { read: JSON.parse(stdout), heard }
}

const FUNCTION = {
  ...{ AWS_LAMBDA_FUNCTION_NAME: 'f', AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' },
  ...{ AWS_SECRET_ACCESS_KEY: 'local', AWS_SESSION_TOKEN: 'session-token' },
}
const UNVERIFIED = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }

function extraRoot(): NodeJS.ProcessEnv {
  const file = join(folder, 'extra.crt')
  writeFileSync(file, authority.certificate)
  return { NODE_EXTRA_CA_CERTS: file }
}

describe('a request to AWS, of our own and through the SDK,', () => {
  test('tells an impostor nothing under NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const found = await readFrom({}, (url) => ({
      ...{ ...FUNCTION, ...UNVERIFIED, AWS_ENDPOINT_URL_SECRETS_MANAGER: url },
    }))
    const refused = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
    expect(found).toEqual({ read: [refused, refused], heard: 0 })
  })

  test("tells an impostor of STS no web identity's token under NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    const token = join(folder, 'token')
    writeFileSync(token, 'identity-token')
    const { heard } = await readFrom({}, (url) => ({
      ...{ ...UNVERIFIED, AWS_ENDPOINT_URL_SECRETS_MANAGER: url, AWS_ENDPOINT_URL_STS: url },
      ...{ AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/r' },
    }))
    expect(heard).toBe(0)
  })

  test('takes no TLS 1.1 under NODE_OPTIONS=--tls-min-v1.0', async () => {
    const old: ServerOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    const { heard, read } = await readFrom(old, (url) => ({
      ...{ ...FUNCTION, ...extraRoot(), AWS_ENDPOINT_URL_SECRETS_MANAGER: url },
      NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0',
    }))
    expect({ heard, read }).toEqual({ heard: 0, read: [expect.stringMatching(/SSL|EPROTO/), expect.anything()] })
  })

  test('takes a server whose CA is in NODE_EXTRA_CA_CERTS', async () => {
    const found = await readFrom({}, (url) => ({
      ...{ ...FUNCTION, ...extraRoot(), AWS_ENDPOINT_URL_SECRETS_MANAGER: url },
    }))
    expect(found).toEqual({ read: ['the secret', 'the secret'], heard: 2 })
  })
})
