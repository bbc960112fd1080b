/**
 * Invokes a function through the AWS SDK: a file of its own in the build, with the SDK's code in it, so that nobody who
 * installs the package installs that too. It has no class of ours, which would be another than the command's.
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { VERIFIED_TLS } from '../../src/base/verified-tls.ts'

const CONNECTION_TIMEOUT_MS = 5000
/** A cold start, and the longest that a health check connects. */
const REQUEST_TIMEOUT_MS = 60_000

const ARN_REGION = /^arn:[^:]+:lambda:([a-z\d-]+):/

export interface Invocation {
  readonly text: string
  /** True when the function threw, timed out or did not start: `text` describes it. */
  readonly hasFailed: boolean
}

/**
 * What a function answers to an empty event.
 *
 * @param name its name or ARN
 * @throws the SDK's error
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function invokeFunction(name: string): Promise<Invocation> {
  const region = ARN_REGION.exec(name)?.[1]
  const client = new LambdaClient({
    ...(region !== undefined && { region }),
    // The first answer is the report.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      httpsAgent: VERIFIED_TLS,
    },
  })
  try {
    const { Payload, FunctionError } = await client.send(new InvokeCommand({ FunctionName: name, Payload: '{}' }))
    return { text: Buffer.from(Payload ?? []).toString(), hasFailed: FunctionError !== undefined }
  } finally {
    client.destroy()
  }
}
