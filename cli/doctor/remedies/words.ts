/** What the tables of remedies share. */
import { isCloudHost } from '../../../src/routing/host.ts'
import type { Circumstances, Fault } from './remedy.ts'

export const PROGRAM = 'npx cockroach-lambda'
export const CONSOLE = 'cockroachlabs.cloud'
export const COPY_STRING = `${CONSOLE}: your cluster > Connect > copy the connection string`
export const FIXED_ADDRESS =
  'For the function, a fixed address: a VPC with a NAT gateway and an Elastic IP (npx cdk deploy -c vpc=true)'

export function put({ secretId }: Circumstances): string {
  return secretId === undefined
    ? 'Correct the value, and check again: npx cockroach-lambda doctor --url -'
    : `${PROGRAM} secret put --secret-id ${secretId}`
}

export const says = (pattern: RegExp) => (fault: Fault) => pattern.test(fault.message)
export const has =
  (code: string, pattern: RegExp = /./s) =>
  (fault: Fault) =>
    fault.code === code && pattern.test(fault.message)

export function isCloud({ parameters }: Circumstances): boolean {
  return parameters !== undefined && (isCloudHost(parameters.host) || parameters.cluster !== undefined)
}
