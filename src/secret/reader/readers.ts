/** Chooses who hands out the secret: the secrets extension where it runs, then a request of our own, then the SDK. */
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
/** Layers bring extensions here; without the folder nothing can listen on the extension's port. */
const EXTENSIONS_FOLDER = '/opt/extensions'

/** An error of the SDK without what AWS quoted of our keys; that of a malformed answer quotes the answer, which may be a secret. */
function shownError(error: unknown, keys: readonly string[]): Error {
  if (error instanceof SyntaxError) return new Error('Secrets Manager answered something that is no JSON')
  return foreignError(
    error,
    keys.map((key) => new Password(key)),
  )
}

/** The SDK is a file of its own, loaded only when it is needed. */
export const sdkReader: GetSecretValue = async (request) => {
  const { getSecretValue } = await import('./secrets-manager.ts')
  return getSecretValue(request, secretRegion(request.secretId), { collect, shownError })
}

/** Past every cache: signed here where the role's keys are enough; the SDK has the last word on everything but a refusal. */
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

/** The extension first, inside Lambda, for secrets of its own region; once it proved absent it is not asked again. */
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

/** @param onSent called when a request has left that asks for the secret as a cache may have it */
export function secretReaders(platform: Platform, diagnostics: Diagnostics, onSent: () => void): SecretReaders {
  const getCached = cachedReader(platform, diagnostics)
  return { getCached: (request) => getCached({ ...request, onSent }), getFresh: freshReader(platform) }
}
