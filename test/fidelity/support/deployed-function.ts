/** Invokes a deployed function as programs do: through the AWS SDK, and through an HTTP API. */
import { Lambda } from '@aws-sdk/client-lambda'
import { CREDENTIALS, REGION } from './aws-shell.ts'
import { ACCOUNT, type Ministack } from './ministack.ts'

export interface Invocation {
  /** What the function answered, or threw. */
  readonly payload: unknown
  /** Present when it threw; Lambda counts that as an error. */
  readonly functionError: string | undefined
}

/** Invokes with the event that others would send, once. */
export async function invokeFunction(ministack: Ministack, name: string, event: unknown = {}): Promise<Invocation> {
  const lambda = new Lambda({ endpoint: ministack.url, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 })
  try {
    const { Payload, FunctionError } = await lambda.invoke({ FunctionName: name, Payload: JSON.stringify(event) })
    return { payload: JSON.parse(Payload?.transformToString() ?? 'null'), functionError: FunctionError }
  } finally {
    lambda.destroy()
  }
}

/** Puts an HTTP API before the function, with payload format 2.0; returns its id, and the function's address. */
export async function createHttpApi(ministack: Ministack, name: string): Promise<{ id: string; url: string }> {
  const target = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`
  const id = await ministack.aws('apigatewayv2 create-api --name health --protocol-type HTTP --query ApiId')
  const integration = await ministack.aws(
    `apigatewayv2 create-integration --api-id ${id} --integration-type AWS_PROXY --integration-uri ${target} --payload-format-version 2.0 --query IntegrationId`,
  )
  await ministack.aws(
    `apigatewayv2 create-route --api-id ${id} --route-key "GET /health" --target integrations/${integration}`,
  )
  await ministack.aws(`apigatewayv2 create-stage --api-id ${id} --stage-name prod --auto-deploy`)
  return { id: String(id), url: `${ministack.url}/_aws/execute-api/${id}/prod/health` }
}
