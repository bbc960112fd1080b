/** The least code that does the job: one request signed by hand, begun while the module loads, and a bare `pg` client. */
import { createHash, createHmac } from 'node:crypto'
import { request } from 'node:https'
import { Client } from 'pg'
import { measured } from './measured.ts'
import { pgConfig, type SecretFields, secretId } from './secret-fields.ts'

const { AWS_REGION = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN = '' } = process.env
const url = new URL(
  process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? `https://secretsmanager.${AWS_REGION}.amazonaws.com`,
)

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signedHeaders(body: string): Record<string, string> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${AWS_REGION}/secretsmanager/aws4_request`
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    host: url.host,
    'x-amz-date': time,
    'x-amz-security-token': AWS_SESSION_TOKEN,
    'x-amz-target': 'secretsmanager.GetSecretValue',
  }
  const names = Object.keys(headers).join(';')
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${sha256(body)}`
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${AWS_SECRET_ACCESS_KEY}`)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return { ...headers, authorization }
}

function readSecret(): Promise<SecretFields> {
  const body = JSON.stringify({ SecretId: secretId })
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', headers: signedHeaders(body) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(JSON.parse(JSON.parse(Buffer.concat(chunks).toString()).SecretString)))
    })
      .on('error', reject)
      .end(body)
  })
}

async function open(): Promise<Client> {
  const client = new Client(pgConfig(await readSecret()))
  await client.connect()
  return client
}

const connected = open()

export const connect = (): Promise<Client> => connected

export const handler = measured(async () => (await connected).query('select 1'))
