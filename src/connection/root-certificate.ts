/** Finds and reads the root certificate that the server's chain must end in. */
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConnectionError } from '../base/connection-error.ts'
import { isPem, pemBlocks } from '../connection-string/pem.ts'
import type { Platform } from '../settings/settings.ts'
import { expandHome, readRegularFile } from './regular-file.ts'

/** The setting, and where it was found. */
export interface RootCertificateSetting {
  /** A path, PEM text, or `system`. */
  readonly value: string
  readonly origin: 'option' | 'secret' | 'PGSSLROOTCERT'
}

export interface RootCertificate {
  /** What named it: a setting, the layer, libpq's default path (`home`), or nothing (Node's own roots). */
  readonly origin: RootCertificateSetting['origin'] | 'layer' | 'home' | 'node'
  /** The file, if it is one. */
  readonly path: string | undefined
  /** PEM, one certificate an item; undefined for Node's own roots. */
  readonly ca: readonly string[] | undefined
  readonly warnings: readonly string[]
}

const LAYER_MODULE = /[/\\]nodejs([/\\]node\d+)?[/\\]node_modules[/\\]cockroach-lambda$/
const LAYER_FILE = '/opt/certs/root.crt'

/** The layer's file, found from the module's own folder: outside Lambda the layer may be unpacked elsewhere. */
function layerFile(moduleDirectory: string, isLambda: boolean): string | undefined {
  const match = LAYER_MODULE.exec(moduleDirectory)
  const besideModule = match === null ? undefined : join(moduleDirectory.slice(0, match.index), 'certs', 'root.crt')
  if (besideModule !== undefined && existsSync(besideModule)) return besideModule
  return isLambda && existsSync(LAYER_FILE) ? LAYER_FILE : undefined
}

const EXPECTED =
  'Expected one or more PEM certificates, as CockroachDB Cloud offers them for download (Connect, Download CA Cert).'

function unusable(name: string, found: string, cause?: unknown, hint = EXPECTED): ConnectionError {
  return new ConnectionError('ERR_TLS', `root certificate ${name}${found}`, {
    ...(cause !== undefined && { cause }),
    hint,
    safeToRetry: true,
  })
}

function splitPem(text: string, name: string): readonly string[] {
  if (text.trim() === '') throw unusable(name, ' is empty')
  if (text.includes('PRIVATE KEY-----')) throw unusable(name, ' holds a private key')
  const certificates = pemBlocks(text).flatMap(({ label, pem }) => (label === 'CERTIFICATE' ? [pem] : []))
  if (certificates.length === 0) throw unusable(name, ` holds no PEM certificate (${text.length} characters)`)
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate)
    } catch (cause) {
      throw unusable(name, `: certificate ${index + 1} of ${certificates.length} cannot be read`, cause)
    }
  }
  return certificates
}

function readPem(path: string, name: string, isLambda: boolean): readonly string[] {
  const hint = isLambda
    ? 'Attach the layer and leave sslrootcert out: its /opt/certs/root.crt is the default.'
    : 'Correct the path in PGSSLROOTCERT or sslrootcert, or leave it out: ~/.postgresql/root.crt is the default.'
  const { text } = readRegularFile(path, (found, cause) =>
    unusable(name, found, cause, cause === undefined ? EXPECTED : hint),
  )
  return splitPem(text, name)
}

/** What the file's name was read from, for messages. */
const SETTINGS: Readonly<Partial<Record<RootCertificate['origin'], string>>> = {
  option: ' (option sslrootcert)',
  secret: ' (the secret)',
  PGSSLROOTCERT: ' (PGSSLROOTCERT or DATABASE_URL)',
}

function fromFile(
  path: string,
  origin: RootCertificate['origin'],
  isLambda: boolean,
  warnings: readonly string[] = [],
): RootCertificate {
  return { origin, path, ca: readPem(path, `"${path}"${SETTINGS[origin] ?? ''}`, isLambda), warnings }
}

/** The certificate of a setting. Lambda has no file at libpq's default path: the layer's file is used instead. */
function fromSetting(setting: RootCertificateSetting, platform: Platform, layer: string | undefined): RootCertificate {
  const { value, origin } = setting
  if (value === 'system') return { origin, path: undefined, ca: undefined, warnings: [] }
  if (isPem(value)) return { origin, path: undefined, ca: splitPem(value, `text (${origin})`), warnings: [] }
  const path = expandHome(value, platform.home)
  const isDefaultPath = /\.postgresql[/\\]root\.crt$/.test(path)
  if (isDefaultPath && platform.isLambda && layer !== undefined && !existsSync(path)) {
    return fromFile(layer, 'layer', true, [
      `sslrootcert "${value}" does not exist in Lambda; the layer's ${layer} is used`,
    ])
  }
  return fromFile(path, origin, platform.isLambda)
}

/**
 * The root certificate to verify with, first found: setting, the layer's, `~/.postgresql/root.crt`, Node's own roots.
 *
 * @param moduleDirectory the folder of this package's code; inside the layer, `certs/root.crt` is found from it
 * @throws ConnectionError `ERR_TLS` when a file is missing, empty or not PEM.
 */
export function readRootCertificate(
  setting: RootCertificateSetting | undefined,
  platform: Platform,
  moduleDirectory: string,
): RootCertificate {
  const layer = layerFile(moduleDirectory, platform.isLambda)
  if (setting !== undefined) return fromSetting(setting, platform, layer)
  if (layer !== undefined) return fromFile(layer, 'layer', platform.isLambda)
  const inHome = platform.home === undefined ? undefined : join(platform.home, '.postgresql', 'root.crt')
  if (inHome !== undefined && existsSync(inHome)) return fromFile(inHome, 'home', platform.isLambda)
  return { origin: 'node', path: undefined, ca: undefined, warnings: [] }
}
