/** A process that reads a secret in both ways, by a request of our own and through the SDK, and prints what came of each. */
import { freshReader, sdkReader } from '../../src/secret/reader/readers.ts'
import type { GetSecretValue } from '../../src/secret/reader/request.ts'
import { signedRequestReader } from '../../src/secret/reader/signed-request.ts'
import { readRoleAccess } from '../../src/settings/role-access.ts'

async function outcomeOf(read: GetSecretValue): Promise<string> {
  try {
    const request = { secretId: 'app/db', versionStage: 'AWSCURRENT', signal: AbortSignal.timeout(20_000) } as const
    return (await read(request)).secretString ?? 'nothing'
  } catch (error) {
    return String(error instanceof Error && 'code' in error ? error.code : error)
  }
}

const roleAccess = readRoleAccess(process.env)
const own = roleAccess === undefined ? freshReader({ roleAccess: () => roleAccess }) : signedRequestReader(roleAccess)
process.stdout.write(JSON.stringify([await outcomeOf(own), await outcomeOf(sdkReader)]))
