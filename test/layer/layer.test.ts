import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { isBuiltin, SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildLayer, type LayerReport } from '../../layer/layer-folder.ts'
import { listFiles } from '../../layer/reproducible-zip.ts'
import { LoopbackHttpServer } from '../../local/loopback/http-server.ts'
import { nodePath } from '../../local/node-versions.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const MODULE = 'nodejs/node_modules/cockroach-lambda'
const BUILD_TIMEOUT_MS = 60_000
const RUNTIMES = [
  ['22', nodePath(22)],
  ['24', process.execPath],
  ['26', nodePath(26)],
] as const

const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-layer-'))
const layer = join(folder, 'first/layer')
let report: LayerReport

beforeAll(async () => {
  report = await buildLayer({ repository: REPOSITORY, out: join(folder, 'first') })
}, BUILD_TIMEOUT_MS)
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs code in a process that finds the layer where Lambda has it, and nothing of this project; returns its output. */
function run(node: string, code: string, environment: NodeJS.ProcessEnv = {}): string {
  const env = { NODE_PATH: join(layer, 'nodejs/node_modules'), ...environment }
  return execFileSync(node, ['--eval', code], { cwd: folder, env, encoding: 'utf8' }).trim()
}

describe('the folder', () => {
  test('contains the certificate and one package, and no SDK under its own name', () => {
    expect(listFiles(layer)).toEqual([
      'certs/root.crt',
      `${MODULE}/LICENSES`,
      `${MODULE}/index.cjs`,
      `${MODULE}/index.mjs`,
      `${MODULE}/jwt.cjs`,
      `${MODULE}/metrics.cjs`,
      `${MODULE}/package.json`,
      `${MODULE}/secrets-manager.cjs`,
    ])
  })

  test('finds certs/root.crt from the module at ../../../certs', () => {
    expect(readFileSync(join(layer, MODULE, '../../../certs/root.crt'))).toEqual(
      readFileSync(join(REPOSITORY, 'certs/root.crt')),
    )
  })

  test('requires only modules of Node, and files beside it', () => {
    const besides = new Map([
      ['index.cjs', ['./jwt.cjs', './metrics.cjs', './secrets-manager.cjs']],
      ['jwt.cjs', ['./index.cjs']],
      ['metrics.cjs', []],
      ['secrets-manager.cjs', []],
    ])
    for (const [file, beside] of besides) {
      const required = readFileSync(join(layer, MODULE, file), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)
      const outside = [...required].map(([, name = '']) => name).filter((name) => !isBuiltin(name))
      expect(new Set(outside)).toEqual(new Set(beside))
    }
  })

  test('names the licence of every bundled package, pg and the SDK among them', () => {
    const licenses = readFileSync(join(layer, MODULE, 'LICENSES'), 'utf8')
    expect(licenses).toMatch(/^pg \d/m)
    expect(licenses).toMatch(/^@aws-sdk\/client-secrets-manager \d/m)
    expect(licenses).toContain('END OF TERMS AND CONDITIONS')
  })
})

describe('layer.zip', () => {
  test('contains the files of the folder', () => {
    const entries = unzipSync(readFileSync(report.path))
    expect(Object.keys(entries)).toEqual(listFiles(layer))
    for (const [path, contents] of Object.entries(entries)) {
      expect(Buffer.from(contents).equals(readFileSync(join(layer, path))), path).toBe(true)
    }
  })

  test('is reported with its size and SHA-256', () => {
    const zip = readFileSync(report.path)
    expect(report).toMatchObject({ bytes: zip.length, sha256: createHash('sha256').update(zip).digest('hex') })
  })

  test(
    'has the same bytes from another clone, at another time, in another time zone',
    () => {
      const clone = join(folder, 'a clone elsewhere')
      for (const part of ['src', 'layer', 'certs', 'package.json', 'LICENSE', 'tsconfig.json']) {
        cpSync(join(REPOSITORY, part), join(clone, part), { recursive: true })
      }
      symlinkSync(join(REPOSITORY, 'node_modules'), join(clone, 'node_modules'), 'junction')
      utimesSync(join(clone, 'certs/root.crt'), 1, 1)
      const out = join(folder, 'second')
      const code = `import { buildLayer } from './layer/layer-folder.ts'
        console.log((await buildLayer({ repository: ${JSON.stringify(clone)}, out: ${JSON.stringify(out)} })).sha256)`
      const env = { ...process.env, TZ: 'Asia/Tokyo' }
      const sha256 = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
        cwd: clone,
        env,
        encoding: 'utf8',
      })
      expect(sha256.trim()).toBe(report.sha256)
    },
    BUILD_TIMEOUT_MS,
  )
})

describe('the source maps', () => {
  const mapOf = (file: string) =>
    new SourceMap(JSON.parse(readFileSync(join(folder, `first/layer-source-maps/${file}.map`), 'utf8')))

  test('lead from a line of a stack to the line of the source', () => {
    const stack = run(
      process.execPath,
      `require('cockroach-lambda').createDatabase({ port: 0 }).query('select 1').catch(({ stack }) => console.log(stack))`,
    )
    const map = mapOf('index.cjs')
    const places = [...stack.matchAll(/index\.cjs:(\d+):(\d+)/g)].map(([, line, column]) => {
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
      return 'originalSource' in entry ? entry : expect.fail(`nothing at ${line}:${column}`)
    })
    expect(places.map(({ originalSource }) => originalSource)).toContain('src/settings/settings.ts')
    for (const { originalSource, originalLine } of places) {
      const lines = readFileSync(join(REPOSITORY, originalSource), 'utf8').split('\n')
      expect(lines[originalLine]).toMatch(/\S/)
    }
  })

  test('name no machine', () => {
    const sources = ['index.cjs', 'metrics.cjs', 'secrets-manager.cjs'].flatMap((file) => mapOf(file).payload.sources)
    const named = sources.filter(
      (source) => !/^(?:src|layer|node_modules|package\.json)\b|^(?:replaced|lazy):/.test(source),
    )
    expect(named).toEqual([])
  })
})

describe.each(RUNTIMES)('on Node %s', (version, node) => {
  const entry = JSON.stringify(join(layer, MODULE, 'index.mjs'))

  test('require and import share one instance and its names', () => {
    const printed = run(
      node,
      `const required = require('cockroach-lambda')
       import(${entry}).then((imported) => console.log(JSON.stringify([
         process.versions.node.split('.')[0],
         Object.keys(imported).sort(),
         Object.keys(imported).every((name) => imported[name] === required[name]),
       ])))`,
    )
    expect(JSON.parse(printed)).toEqual([
      version,
      expect.arrayContaining(['ConnectionError', 'query', 'withDatabase']),
      true,
    ])
  })

  test('loading it loads no SDK and no metrics', () => {
    expect(
      run(
        node,
        `require('cockroach-lambda'); console.log(Object.keys(require.cache).filter((path) => /secrets-manager|metrics/.test(path)))`,
      ),
    ).toBe('[]')
  })

  test('loading it prints nothing, and works without require(esm), as on Lambda', () => {
    const flags = { NODE_OPTIONS: '--no-experimental-require-module --no-experimental-detect-module' }
    expect(run(node, `require('cockroach-lambda')`, flags)).toBe('')
  })
})

describe('the bundled SDK', () => {
  const authorizations: string[] = []
  let server: LoopbackHttpServer
  /** What Secrets Manager answers instead of the secret: its type of error. */
  let refusal: string | undefined

  /** Answers GetSecretValue, and credentials below /credentials. */
  beforeAll(async () => {
    server = await LoopbackHttpServer.start((request, response) => {
      const isCredentials = request.url === '/credentials'
      if (!isCredentials) authorizations.push(request.headers.authorization ?? '')
      if (refusal !== undefined) {
        response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
        response.end(JSON.stringify({ __type: refusal, message: 'said by AWS' }))
        return
      }
      const body = isCredentials
        ? { AccessKeyId: 'AKIDHTTP', SecretAccessKey: 's', Token: 't', Expiration: '2099-01-01T00:00:00Z' }
        : { Name: 'app/db', SecretString: 'postgresql://…', VersionId: 'v1', CreatedDate: 1.5 }
      response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify(body))
    })
  })
  afterAll(() => server.stop())

  /** Reads a secret in a process of its own with nothing but these variables; returns the answer, or the error. */
  async function read(environment: Readonly<Record<string, string>>): Promise<unknown> {
    const code = `const { getSecretValue } = require(${JSON.stringify(join(layer, MODULE, 'secrets-manager.cjs'))})
      const request = { secretId: 'app/db', versionStage: 'AWSCURRENT', signal: AbortSignal.timeout(10_000) }
      getSecretValue(request, undefined, { shownError: (error) => error }).then(
        (value) => console.log(JSON.stringify(value)),
        (error) => console.log(JSON.stringify(\`\${error.name}: \${error.message}\`)))`
    const env = { AWS_REGION: 'ap-southeast-1', AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url, ...environment }
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', code], { env })
    return JSON.parse(stdout)
  }

  test.each([
    [
      'the execution role’s variables',
      'AKIDENV',
      () => ({ AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' }),
    ],
    [
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AKIDHTTP',
      () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/credentials` }),
    ],
  ])('reads a secret with credentials from %s', async (_name, accessKeyId, environment) => {
    expect(await read(environment())).toEqual({ secretString: 'postgresql://…', versionId: 'v1', createdAt: 1500 })
    expect(authorizations.at(-1)).toContain(`Credential=${accessKeyId}/`)
  })

  test('reads a secret with AWS_RETRY_MODE=adaptive', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's' }
    expect(await read({ ...keys, AWS_RETRY_MODE: 'adaptive' })).toMatchObject({ versionId: 'v1' })
  })

  test.each(['AccessDeniedException', 'ResourceNotFoundException', 'DecryptionFailure'])('reports %s', async (name) => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's' }
    refusal = `com.amazonaws.secretsmanager#${name}`
    expect(await read(keys).finally(() => (refusal = undefined))).toBe(`${name}: said by AWS`)
  })

  test('names the missing variables when there are no credentials', async () => {
    expect(await read({})).toContain('neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set')
  })
})
