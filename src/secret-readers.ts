/** Chooses who hands out the secret: the secrets extension where it runs, the SDK otherwise or when the extension fails. */
import type { Diagnostics } from './diagnostics.ts'
import type { GetSecretValue } from './secret-value-request.ts'
import type { Surroundings } from './settings.ts'

/** The SDK is a file of its own, loaded only when it is needed. */
export const sdkReader: GetSecretValue = async (request) => {
  const { getSecretValue } = await import('./secrets-manager.ts')
  return getSecretValue(request)
}

/** The extension first, inside Lambda; once it proved absent it is not asked again. */
export function cachedReader(surroundings: Surroundings, diagnostics: Diagnostics): GetSecretValue {
  const { isLambda, sessionToken, secretsExtensionPort } = surroundings
  if (!isLambda || sessionToken === undefined) return sdkReader
  let isAbsent = false
  return async (request) => {
    if (isAbsent) return sdkReader(request)
    const { secretsExtension } = await import('./secrets-extension.ts')
    try {
      return await secretsExtension(secretsExtensionPort, sessionToken)(request)
    } catch (error) {
      isAbsent = error instanceof Error && error.name === 'ExtensionAbsent'
      if (!isAbsent)
        diagnostics.warn('secrets-extension', `the secrets extension failed, the SDK is used: ${String(error)}`)
      return sdkReader(request)
    }
  }
}
