/** Chooses how the secret is read: from the secrets extension if it runs, else with a request of our own, else with the SDK. */
import { existsSync } from 'node:fs'
import type { Diagnostics } from '../../base/diagnostics.ts'
import { foreignError } from '../../base/foreign-text.ts'
import { Password } from '../../base/password.ts'
import { secretRegion } from '../../settings/secret-region.ts'
import type { Platform } from '../../settings/settings.ts'
import { collect } from './exchange.ts'
import type { GetSecretValue, SecretReaders } from './request.ts'
import { secretsExtension } from './secrets-extension.ts'
import { RefusedRequest, signedRequestReader } from './signed-request.ts'

const SECRETS_EXTENSION_PORT = 2773
/** The folder of the extensions that layers add; without it nothing can listen on the extension's port. */
const EXTENSIONS_FOLDER = '/opt/extensions'

/** An error of the SDK without our keys, which AWS may quote; of a malformed answer, without the answer, which may be a secret. */
function shownError(error: unknown, keys: readonly string[]): Error {
  if (error instanceof SyntaxError) return new Error('Secrets Manager answered something that is not JSON')
  return foreignError(
    error,
    keys.map((key) => new Password(key)),
  )
}

/** Reads with the SDK, a file of its own that is loaded when it is needed. */
export const sdkReader: GetSecretValue = async (request) => {
  const { getSecretValue } = await import('./secrets-manager.ts')
  return getSecretValue(request, secretRegion(request.secretId), { collect, shownError })
}

/** Reads without a cache: a request signed here if the role's keys suffice; after any failure but a refusal, the SDK. */
export function freshReader({ roleAccess }: Pick<Platform, 'roleAccess'>): GetSecretValue {
  return async (request) => {
    const access = roleAccess()
    if (access === undefined) return sdkReader(request)
    try {
      return await signedRequestReader(access)(request)
    } catch (error) {
      if (error instanceof RefusedRequest || request.signal.aborted) throw error
      return sdkReader(request)
    }
  }
}

/** Inside Lambda, reads first from the extension, if the secret is in its region; an absent extension is not asked again. */
export function cachedReader(platform: Platform, diagnostics: Diagnostics): GetSecretValue {
  const fresh = freshReader(platform)
  const { isLambda, region, sessionToken, secretsExtensionPort } = platform
  if (!isLambda) return fresh
  if (secretsExtensionPort === undefined && !existsSync(EXTENSIONS_FOLDER)) return fresh
  const port = secretsExtensionPort ?? SECRETS_EXTENSION_PORT
  let isAbsent = false
  return async (request) => {
    const token = sessionToken()
    if (isAbsent || token === undefined || (secretRegion(request.secretId) ?? region) !== region) return fresh(request)
    try {
      return await secretsExtension(port, token)(request)
    } catch (error) {
      isAbsent = error instanceof Error && error.name === 'ExtensionAbsent'
      if (!isAbsent)
        diagnostics.warn('secrets-extension', `the secrets extension failed, the SDK is used: ${String(error)}`)
      return fresh(request)
    }
  }
}

/** @param onSent called when a request that a cache may answer is sent */
export function secretReaders(platform: Platform, diagnostics: Diagnostics, onSent: () => void): SecretReaders {
  const getCached = cachedReader(platform, diagnostics)
  return { getCached: (request) => getCached({ ...request, onSent }), getFresh: freshReader(platform) }
}
