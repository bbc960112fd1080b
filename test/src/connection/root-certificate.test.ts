import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { type RootCertificateSetting, readRootCertificate } from '../../../src/connection/root-certificate.ts'
import { readSslrootcert } from '../../../src/connection-string/values.ts'
import type { Platform } from '../../../src/settings/settings.ts'

let folder: string
let pem: string
let otherPem: string
let privateKey: string

beforeAll(async () => {
  const authority = await createCertificateAuthority('Root')
  pem = authority.certificate
  otherPem = (await createCertificateAuthority('Other')).certificate
  privateKey = (await authority.issue({ hosts: ['db.example.com'] })).privateKey
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'root-certificate-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Writes a file below the test's folder and gives its path. */
function file(path: string, text: string): string {
  const full = join(folder, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, text)
  return full
}

function link(target: string): string {
  const path = join(folder, 'link.crt')
  symlinkSync(target, path)
  return path
}

/** A file of so many bytes that takes no room on the disk. */
function sized(bytes: number): string {
  const path = file('sized.crt', '')
  truncateSync(path, bytes)
  return path
}

function platform(changes: Partial<Platform> = {}): Platform {
  return {
    ...{
      isLambda: false,
      isSmall: false,
      functionName: undefined,
      region: undefined,
      home: join(folder, 'home'),
      functionModule: undefined,
      runtimeApi: undefined,
      sessionToken: () => undefined,
    },
    ...{
      secretsExtensionPort: undefined,
      roleAccess: () => undefined,
      stsAccess: () => undefined,
      isManagedInstances: false,
    },
    isBeforeSnapshot: () => false,
    ...changes,
  }
}

/** The module's own folder as it is in an unpacked layer. */
const moduleInLayer = () => join(folder, 'opt', 'nodejs', 'node_modules', 'cockroach-lambda')
const layerFile = (text = pem) => file('opt/certs/root.crt', text)
const homeFile = (text = pem) => file('home/.postgresql/root.crt', text)
const elsewhere = () => join(folder, 'node_modules', 'cockroach-lambda', 'dist')

const trimmed = (text: string) => text.trim()

function read(
  value: string | undefined,
  changes: Partial<Platform> = {},
  moduleDirectory = elsewhere(),
): ReturnType<typeof readRootCertificate> {
  return readSetting(value === undefined ? undefined : { value, origin: 'secret' }, changes, moduleDirectory)
}

function readSetting(
  setting: RootCertificateSetting | undefined,
  changes: Partial<Platform> = {},
  moduleDirectory = elsewhere(),
): ReturnType<typeof readRootCertificate> {
  return readRootCertificate(setting, platform(changes), moduleDirectory)
}

describe('first found', () => {
  test('a setting, before the layer and the home folder', () => {
    layerFile()
    homeFile()
    const path = file('own.crt', otherPem)
    expect(read(path, {}, moduleInLayer())).toEqual({ origin: 'secret', path, ca: [trimmed(otherPem)], warnings: [] })
  })

  test("the layer's file, before the home folder", () => {
    const path = layerFile()
    homeFile(otherPem)
    expect(read(undefined, {}, moduleInLayer())).toEqual({ origin: 'layer', path, ca: [trimmed(pem)], warnings: [] })
  })

  test.each(['nodejs/node_modules', 'nodejs/node22/node_modules', 'nodejs/node24/node_modules'])(
    "the layer's file from a module in %s",
    (place) => {
      const path = layerFile()
      expect(read(undefined, {}, join(folder, 'opt', place, 'cockroach-lambda'))).toMatchObject({ path })
    },
  )

  test("libpq's default place", () => {
    const path = homeFile()
    expect(read(undefined)).toEqual({ origin: 'home', path, ca: [trimmed(pem)], warnings: [] })
  })

  test.each([
    ['nothing is there', {}],
    ['there is no home', { home: undefined }],
  ])("Node's own roots, when %s", (_, changes) => {
    expect(read(undefined, changes)).toEqual({ origin: 'node', path: undefined, ca: undefined, warnings: [] })
  })

  test("another package's certs folder is not taken for the layer's", () => {
    file('certs/root.crt', otherPem)
    expect(read(undefined)).toMatchObject({ origin: 'node' })
  })
})

describe('a setting', () => {
  test('system is Node’s own roots, whatever files there are', () => {
    layerFile()
    homeFile()
    expect(read('system', {}, moduleInLayer())).toEqual({
      ...{ origin: 'secret', path: undefined, ca: undefined, warnings: [] },
    })
  })

  // biome-ignore lint/suspicious/noTemplateCurlyInString: as a shell writes it
  test.each(['~/certs/root.crt', '$HOME/certs/root.crt', '${HOME}/certs/root.crt'])('%s is expanded', (value) => {
    const path = file('home/certs/root.crt', pem)
    expect(read(value)).toMatchObject({ path, ca: [trimmed(pem)] })
  })

  test.each(['$HOMEDIR/root.crt', '~other/root.crt', 'a/~/root.crt'])('%s is not', (value) => {
    expect(() => read(value)).toThrow(
      expect.objectContaining({
        code: 'ERR_TLS',
        message: `root certificate "${value}" (the secret) cannot be read: ENOENT`,
      }),
    )
  })

  test('PEM text is used unchanged', () => {
    expect(read(`${pem}\n${otherPem}`)).toEqual({
      ...{ origin: 'secret', path: undefined, ca: [trimmed(pem), trimmed(otherPem)], warnings: [] },
    })
  })

  test('PEM text with its line ends as two characters is read', () => {
    const value = readSslrootcert(pem.replaceAll('\n', '\\n'), { code: 'ERR_CONFIG', name: 'PGSSLROOTCERT' })
    expect(read(value).ca).toEqual([trimmed(pem)])
  })

  test('a file may hold several certificates, comments and CRLF', () => {
    const path = file('several.crt', `# Root\r\n${pem.replaceAll('\n', '\r\n')}\r\n# Other\n${otherPem}`)
    expect(read(path).ca).toHaveLength(2)
  })
})

describe("libpq's default path in a setting", () => {
  const LAPTOP = '/home/somebody/.postgresql/root.crt'

  test.each(['~/.postgresql/root.crt', '$HOME/.postgresql/root.crt', LAPTOP])(
    "%s, missing in Lambda, is the layer's file with a warning",
    (value) => {
      const path = layerFile()
      expect(read(value, { isLambda: true }, moduleInLayer())).toEqual({
        ...{ origin: 'layer', path, ca: [trimmed(pem)] },
        warnings: [`sslrootcert "${value}" does not exist in Lambda; the layer's ${path} is used`],
      })
    },
  )

  test('there in Lambda, is taken', () => {
    layerFile()
    const path = homeFile(otherPem)
    expect(read('~/.postgresql/root.crt', { isLambda: true }, moduleInLayer())).toMatchObject({ path, warnings: [] })
  })

  test.each([
    ['outside Lambda', LAPTOP, { isLambda: false }, true],
    ['in Lambda without the layer', LAPTOP, { isLambda: true }, false],
    ['in Lambda, under another name', '/home/somebody/certs/ca.crt', { isLambda: true }, true],
  ])('missing %s, is an error', (_, value, changes, hasLayer) => {
    if (hasLayer) layerFile()
    expect(() => read(value, changes, moduleInLayer())).toThrow(
      expect.objectContaining({
        code: 'ERR_TLS',
        message: `root certificate "${value}" (the secret) cannot be read: ENOENT`,
      }),
    )
  })
})

describe('an unusable file', () => {
  test.each<[string, () => string, string]>([
    ['empty', () => file('x.crt', ''), 'is empty'],
    ['blank', () => file('x.crt', ' \n\n'), 'is empty'],
    ['text', () => file('x.crt', 'hello'), 'holds no PEM certificate (5 characters)'],
    ['a private key', () => file('x.crt', privateKey), 'holds a private key'],
    ['a certificate and a private key', () => file('x.crt', pem + privateKey), 'holds a private key'],
    ['half a certificate', () => file('x.crt', pem.slice(0, 100)), 'holds no PEM certificate (100 characters)'],
    ['a folder', () => folder, 'is not a regular file'],
    ['missing', () => join(folder, 'no.crt'), 'cannot be read: ENOENT'],
  ])('%s', (_, path, found) => {
    const value = path()
    expect(() => read(value)).toThrow(
      expect.objectContaining({
        ...{ code: 'ERR_TLS', message: `root certificate "${value}" (the secret) ${found}` },
        ...{ hint: expect.stringMatching(/\S/), safeToRetry: true },
      }),
    )
  })

  test.each<[RootCertificateSetting['origin'], string]>([
    ['option', 'option sslrootcert'],
    ['secret', 'the secret'],
    ['PGSSLROOTCERT', 'PGSSLROOTCERT or DATABASE_URL'],
  ])('names the setting %s', (origin, name) => {
    const value = join(folder, 'no.crt')
    expect(() => readSetting({ value, origin })).toThrow(
      expect.objectContaining({ message: `root certificate "${value}" (${name}) cannot be read: ENOENT` }),
    )
  })

  test.each([
    [true, 'Attach the layer and leave sslrootcert out: its /opt/certs/root.crt is the default.'],
    [
      false,
      'Correct the path in PGSSLROOTCERT or sslrootcert, or leave it out: ~/.postgresql/root.crt is the default.',
    ],
  ])('has a hint for where the process runs: in Lambda is %s', (isLambda, hint) => {
    expect(() => read(join(folder, 'no.crt'), { isLambda })).toThrow(expect.objectContaining({ hint }))
  })

  /** A named pipe; a writer comes and goes after 20 s, so that whoever waits for one waits no longer. */
  function pipe(path: string): string {
    const full = file(path, '')
    rmSync(full)
    execFileSync('sh', ['-c', 'mkfifo "$0"', full])
    const writer = spawn('sh', ['-c', 'sleep 20; exec 3<>"$0"; sleep 1', full], { stdio: 'ignore', detached: true })
    writer.unref()
    afterPipe = () => process.kill(-(writer.pid ?? 0))
    return full
  }
  let afterPipe: (() => void) | undefined
  afterEach(() => {
    afterPipe?.()
    afterPipe = undefined
  })

  test.each<[string, () => string, string]>([
    ['a named pipe', () => pipe('pipe'), 'is not a regular file'],
    ['an endless device', () => '/dev/zero', 'is not a regular file'],
    ['a silent device', () => '/dev/null', 'is not a regular file'],
    ['a link to a device', () => link('/dev/zero'), 'is not a regular file'],
    ['a file without a size', () => '/proc/self/environ', 'is empty'],
    ['a file of more than a mebibyte', () => sized(1024 * 1024 + 1), 'has 1048577 bytes'],
    ['a file of a tebibyte', () => sized(1024 ** 4), 'has 1099511627776 bytes'],
  ])('%s is refused at once', (_, path, found) => {
    const value = path()
    expect(() => read(value)).toThrow(
      expect.objectContaining({ code: 'ERR_TLS', message: `root certificate "${value}" (the secret) ${found}` }),
    )
  })

  test.each<[string, () => ReturnType<typeof read>]>([
    ["in libpq's default place", () => read(undefined)],
    ["in the layer's place", () => read(undefined, {}, moduleInLayer())],
    ['in the home folder of a setting', () => read('~/.postgresql/root.crt')],
  ])('a named pipe %s is refused at once', (place, readIt) => {
    pipe(place.includes('layer') ? 'opt/certs/root.crt' : 'home/.postgresql/root.crt')
    expect(readIt).toThrow(/is not a regular file$/)
  })

  test('a link to a regular file of a mebibyte is not unusable', () => {
    expect(read(link(file('large.crt', pem.padEnd(1024 * 1024)))).ca).toEqual([trimmed(pem)])
  })

  test('text is not gone through once for each beginning of a certificate in it', () => {
    const text = '-----BEGIN CERTIFICATE-----\n'.repeat(37_000)
    expect(() => read(file('x.crt', text))).toThrow(`holds no PEM certificate (${text.length} characters)`)
    expect(read(file('x.crt', `${pem}${text}`)).ca).toEqual([trimmed(pem)])
  })

  test('with a damaged second certificate tells which', () => {
    const damaged = otherPem.replace(/\n.{20}/, '\n')
    expect(() => read(file('x.crt', pem + damaged))).toThrow(/certificate 2 of 2 cannot be read$/)
  })

  test("of the layer's is an error, not a reason to look further", () => {
    const path = layerFile('')
    homeFile()
    expect(() => read(undefined, {}, moduleInLayer())).toThrow(`root certificate "${path}" is empty`)
  })

  test('text is not quoted: it may be a key', () => {
    expect(() => read(privateKey)).toThrow('root certificate text (secret) holds a private key')
  })
})
