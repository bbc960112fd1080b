/** `npm run publish-layer`, against a stand-in of Lambda's PublishLayerVersion over HTTP. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

const REPOSITORY = join(import.meta.dirname, '../..')
const ZIP = readFileSync(join(REPOSITORY, 'dist/layer.zip'))
const REGIONS = 'eu-central-1,us-east-1'

let server: Server
/** What was asked: the region is in the signature. */
let requests: { readonly path: string; readonly region: string; readonly body: unknown }[]
let refusedRegion: string | undefined

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const [, region = ''] = /Credential=[^/]+\/\d+\/([\w-]+)\/lambda/.exec(request.headers.authorization ?? '') ?? []
    requests.push({ path: `${request.method} ${request.url}`, region, body: await json(request) })
    if (region === refusedRegion) {
      response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' }).end('{"Message":"not authorized"}')
      return
    }
    response.writeHead(201, { 'content-type': 'application/json' })
    const LayerVersionArn = `arn:aws:lambda:${region}:111111111111:layer:cockroach-lambda:1`
    response.end(JSON.stringify({ LayerVersionArn, Version: 1 }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => server.close())
beforeEach(() => {
  requests = []
  refusedRegion = undefined
})

/** Runs the script; credentials are given unless it is to do without. */
async function publishLayer(args: readonly string[], { credentials = true } = {}) {
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'not-a-real-key' }
  const child = spawn(process.execPath, [join(REPOSITORY, 'layer/publish.ts'), ...args], {
    env: { PATH: process.env.PATH, AWS_ENDPOINT_URL_LAMBDA: url, AWS_MAX_ATTEMPTS: '1', ...(credentials ? keys : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, status }
}

describe('npm run publish-layer', () => {
  test('publishes the built layer in each region, and prints the ARNs', async () => {
    expect(await publishLayer(['--regions', REGIONS])).toEqual({
      stdout: `${REGIONS.split(',')
        .map((region) => `arn:aws:lambda:${region}:111111111111:layer:cockroach-lambda:1\n`)
        .join('')}`,
      stderr: expect.stringMatching(`^dist/layer.zip: ${ZIP.length} bytes, SHA-256 [0-9a-f]{64}\n$`),
      status: 0,
    })
    expect(requests).toEqual(
      REGIONS.split(',').map((region) => ({
        path: 'POST /2018-10-31/layers/cockroach-lambda/versions',
        region,
        body: {
          Description: expect.stringContaining('cockroach-lambda'),
          LicenseInfo: 'Apache-2.0',
          CompatibleRuntimes: ['nodejs22.x', 'nodejs24.x'],
          CompatibleArchitectures: ['x86_64', 'arm64'],
          Content: { ZipFile: ZIP.toString('base64') },
        },
      })),
    )
  })

  test('--name names the layer, and a region that is given twice is one', async () => {
    await publishLayer(['--regions', 'us-east-1, us-east-1', '--name', 'database'])
    expect(requests.map(({ path }) => path)).toEqual(['POST /2018-10-31/layers/database/versions'])
  })

  test('--dry-run asks nobody, and needs no credentials', async () => {
    expect(await publishLayer(['--regions', REGIONS, '--dry-run'], { credentials: false })).toMatchObject({
      stdout:
        'eu-central-1: would publish a version of cockroach-lambda\nus-east-1: would publish a version of cockroach-lambda\n',
      status: 0,
    })
    expect(requests).toEqual([])
  })

  test('a region that refuses is reported, and the others are published', async () => {
    refusedRegion = 'eu-central-1'
    expect(await publishLayer(['--regions', REGIONS])).toEqual({
      stdout: 'arn:aws:lambda:us-east-1:111111111111:layer:cockroach-lambda:1\n',
      stderr: expect.stringContaining('eu-central-1: AccessDeniedException: not authorized\n'),
      status: 1,
    })
  })

  test.each<[readonly string[], string]>([
    [[], '--regions has ""; expected regions such as eu-central-1,us-east-1'],
    [['--regions', 'Frankfurt'], '--regions has "Frankfurt"; expected regions'],
    [['--regions', 'us-east-1,'], '--regions has ""; expected regions'],
    [['--regions', 'us-east-1', '--name', 'my layer'], '--name is "my layer"; expected up to 64'],
    [['--region', 'us-east-1'], "Unknown option '--region'"],
  ])('%j is refused, with the usage', async (args, message) => {
    const { stderr, stdout, status } = await publishLayer(args)
    expect({ stderr, stdout, status }).toMatchObject({ stdout: '', status: 2 })
    expect(stderr).toContain(message)
    expect(stderr).toContain('npm run publish-layer -- --regions REGION')
    expect(requests).toEqual([])
  })

  test('-h prints the usage', async () => {
    expect(await publishLayer(['-h'])).toMatchObject({ stdout: expect.stringContaining('--dry-run'), status: 0 })
  })
})
