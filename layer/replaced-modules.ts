/** Modules that are left out of the layer: code for other runtimes, and fallbacks that are never used on Lambda. */
import type { Plugin } from 'esbuild'

interface Replacement {
  /** Matches the name in the import or require. */
  readonly imported: RegExp
  /** Matches the path of the importer. */
  readonly importer: RegExp
  readonly contents: string
}

/** pg's own functions over Web Crypto, which Node takes milliseconds to load: bench/README.md has the gain. */
const PG_CRYPTO = `const { createHash, createHmac, pbkdf2, randomBytes } = require('node:crypto')
  const md5 = (data) => createHash('md5').update(data).digest('hex')
  const hashByName = async (name, data) => createHash(name).update(data).digest()
  module.exports = {
    randomBytes,
    hashByName,
    sha256: (data) => hashByName('SHA-256', data),
    hmacSha256: async (key, text) => createHmac('SHA-256', key).update(text).digest(),
    deriveKey: (password, salt, iterations) => new Promise((resolve, reject) => {
      pbkdf2(password, salt, iterations, 32, 'SHA-256', (error, key) => (error ? reject(error) : resolve(key)))
    }),
    postgresMd5PasswordHash: async (user, password, salt) =>
      'md5' + md5(Buffer.concat([Buffer.from(md5(password + user)), salt])),
  }`

const NOT_FOUND = `throw Object.assign(new Error('not in the layer'), { code: 'MODULE_NOT_FOUND' })`

const REPLACEMENTS: readonly Replacement[] = [
  // pg's own choice between this and its binding to libpq; of its pool, nothing runs but the constructor: `src/pool/` lends
  // and opens.
  {
    imported: /^pg$/,
    importer: /\/pool\/bundled-pg\./,
    contents: `const Client = require('pg/lib/client')
      exports.Client = Client
      exports.Connection = require('pg/lib/connection')
      exports.Pool = class Pool extends require('node:events') {
        ending = false
        ended = false
        constructor(options) {
          super()
          this.options = { max: 10, min: 0, maxUses: Infinity, allowExitOnIdle: false, maxLifetimeSeconds: 0, ...options }
          this.log = () => {}
          this.Client = Client
          this.Promise = Promise
        }
      }`,
  },
  // The sockets of Cloudflare, and the question whether this is one of its workers.
  {
    imported: /^\.\/stream$/,
    importer: /\/pg\/lib\/connection\./,
    contents: `exports.getStream = () => new (require('node:net').Socket)()
      exports.getSecureStream = (options) => require('node:tls').connect(options)`,
  },
  // What SCRAM computes, and the hash of a login by MD5.
  { imported: /^\.\/utils$/, importer: /\/pg\/lib\/crypto\//, contents: PG_CRYPTO },
  { imported: /^\.\/crypto\/utils$/, importer: /\/pg\/lib\//, contents: PG_CRYPTO },
  // Passwords come from the secret; this is pgpass's own answer without a ~/.pgpass.
  { imported: /^pgpass$/, importer: /\/pg\/lib\//, contents: 'module.exports = (_, done) => done(undefined)' },
  // pg is given no connection string: it would replace the root certificate, and could name another server.
  {
    imported: /^pg-connection-string$/,
    importer: /\/pg\/lib\//,
    contents: `exports.parse = () => { throw new Error('connection strings are for createDatabase(), not for pg') }`,
  },
  // Where a REST protocol puts parameters, and prefixes of host names: Secrets Manager's protocol, AWS JSON, has neither.
  {
    imported: /\/HttpBindingNormalizedSchema$/,
    importer: /\/HttpProtocol\./,
    contents: `export const getHttpOperationBindings = () => []
      export const HttpBindingNormalizedSchema = undefined`,
  },
  // Numbers that JavaScript's cannot hold, in documents without a schema: an answer's numbers are dates.
  {
    imported: /\/needsReviver$/,
    importer: /\/protocols\/json\//,
    contents: 'export const needsReviver = () => false',
  },
  { imported: /\/jsonReviver$/, importer: /\/protocols\/json\//, contents: 'export const jsonReviver = undefined' },
  // Keeps what it decided for a region; a secret is read once in minutes.
  {
    imported: /\/EndpointCache$/,
    importer: /\/endpoints\/index\./,
    contents: 'export class EndpointCache { get(_, resolve) { return resolve() } }',
  },
  // Warns of an old Node; the library itself refuses one.
  {
    imported: /\/emitWarningIfUnsupportedVersion$/,
    importer: /\/submodules\/client\/index\./,
    contents: 'export const emitWarningIfUnsupportedVersion = () => {}; export const state = undefined',
  },
  // Loaded when an operation streams events; GetSecretValue does not.
  { imported: /\/event-streams$/, importer: /\/HttpProtocol\./, contents: NOT_FOUND },
  // Signs the messages of such a stream.
  {
    imported: /\/HeaderFormatter$/,
    importer: /\/signature-v4\//,
    contents: 'export class HeaderFormatter {}',
  },
  // For the streams of browsers; Node's HTTP has its own.
  {
    imported: /\/sdk-stream-mixin\.browser$/,
    importer: /\/sdk-stream-mixin\./,
    contents: 'export const sdkStreamMixin = undefined',
  },
  // Lets extensions change the client; there are none, and the time of a request is limited by its signal.
  {
    imported: /\/runtimeExtensions$/,
    importer: /\/SecretsManagerClient\./,
    contents: 'export const resolveRuntimeExtensions = (config) => config',
  },
  // Tells a logger of each request; none is given.
  {
    imported: /\/loggerMiddleware$/,
    importer: /\/submodules\/client\/index\./,
    contents: `export const getLoggerPlugin = () => ({ applyToStack() {} })
      export const loggerMiddleware = undefined
      export const loggerMiddlewareOptions = undefined`,
  },
  // What a logger is shown of requests and answers; none is given, and it would be shown nothing.
  {
    imported: /\/schemaLogFilter$/,
    importer: /\/smithy-client\/command\./,
    contents: 'export const schemaLogFilter = () => undefined',
  },
  // Endpoints of another service.
  {
    imported: /\/service-customizations/,
    importer: /\/middleware-endpoint\//,
    contents: 'export const resolveParamsForS3 = undefined',
  },
  // The SHA-256 for a Node without node:crypto.
  { imported: /\/Sha256Js$/, importer: /\/sha256\/Sha256Node\./, contents: 'export const Sha256Js = undefined' },
  // Delays requests with AWS_RETRY_MODE=adaptive; a secret is read once in minutes.
  {
    imported: /\/AdaptiveRetryStrategy$/,
    importer: /\/middleware-retry\/configurations\./,
    contents: `export { StandardRetryStrategy as AdaptiveRetryStrategy } from '../util-retry/StandardRetryStrategy'`,
  },
  // Strict readers of dates in many forms; a secret's date is a number of seconds, and Node reads the others.
  {
    imported: /\/date-utils$/,
    importer: /\/serde\/index\./,
    contents: `const read = (value) => (value == null ? undefined : new Date(value))
      export { read as parseRfc3339DateTime, read as parseRfc3339DateTimeWithOffset, read as parseRfc7231DateTime }
      export const parseEpochTimestamp = (value) => read(value == null ? value : Math.round(value * 1000))
      export const dateToUtcString = (date) => date.toUTCString()`,
  },
  // Counts which features of the SDK are used, for the User-Agent.
  {
    imported: /\/check-features$/,
    importer: /\/user-agent-middleware\./,
    contents: 'export const checkFeatures = async () => {}',
  },
  // Trace ids for services that could call the function again; Secrets Manager cannot.
  {
    imported: /\/recursionDetectionMiddleware$/,
    importer: /\/getRecursionDetectionPlugin\./,
    contents: 'export const recursionDetectionMiddleware = () => (next) => next',
  },
  // Reads values by the schema of any operation; of a secret, all but the date are texts.
  {
    imported: /\/JsonShapeDeserializer2$/,
    importer: /\/JsonCodec2\./,
    contents: `export class JsonShapeDeserializer2 {
      setSerdeContext() {}
      readObject(_schema, value) { return value }
      async read(_schema, bytes) {
        const { CreatedDate: at, ...members } = JSON.parse(new TextDecoder().decode(bytes)) ?? {}
        return { ...members, ...(at !== undefined && { CreatedDate: new Date(Math.round(at * 1000)) }) }
      }
    }`,
  },
  // Writes dates, blobs and documents; a request for a secret has texts only.
  {
    imported: /\/JsonShapeSerializer2$/,
    importer: /\/JsonCodec2\./,
    contents: `export class JsonShapeSerializer2 {
      setSerdeContext() {}
      write(_schema, value) { this.value = value }
      flush() { return JSON.stringify(this.value) }
    }`,
  },
  // Lambda sets AWS_REGION and has no instance metadata.
  {
    imported: /\/getInstanceMetadataRegion$/,
    importer: /\/@smithy\/core\//,
    contents: 'export const getInstanceMetadataRegion = async () => undefined',
  },
]

/** Makes the replacements; fails when one matches nothing, so that an update of pg or the SDK that undoes it is noticed. */
export const replacedModules: Plugin = {
  name: 'replaced-modules',
  setup({ onResolve, onLoad, onEnd }) {
    const unused = new Set(REPLACEMENTS)
    for (const replacement of REPLACEMENTS) {
      onResolve({ filter: replacement.imported }, ({ path, importer, resolveDir }) => {
        if (!replacement.importer.test(importer.replaceAll('\\', '/'))) return undefined
        unused.delete(replacement)
        const { contents } = replacement
        return { path, namespace: 'replaced', pluginData: { contents, resolveDir }, sideEffects: false }
      })
    }
    onLoad({ filter: /.*/, namespace: 'replaced' }, ({ pluginData }) => pluginData)
    onEnd(() => ({
      errors: [...unused].map(({ imported, importer }) => ({
        text: `nothing matching ${importer} imports ${imported}`,
      })),
    }))
  },
}
