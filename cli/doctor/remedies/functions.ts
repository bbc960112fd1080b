/** Failures of asking a deployed function. */
import type { Row } from './remedy.ts'
import { says } from './words.ts'

/** The first that fits. */
export const OF_FUNCTIONS: readonly Row[] = [
  {
    when: says(/^Invoke \S+ failed: ResourceNotFound/),
    why: 'There is no such function in this account and region.',
    mend: () => ['aws lambda list-functions --query Functions[].FunctionName', 'export AWS_REGION=<its region>'],
  },
  {
    when: says(/^Invoke \S+ failed: /),
    why: 'The function was not invoked: lambda:InvokeFunction must be allowed, and AWS reachable.',
    mend: () => ['aws sts get-caller-identity', 'IAM: allow lambda:InvokeFunction on the ARN of the function'],
  },
  {
    when: says(/^the function \S+ failed: /),
    why: 'The function threw, timed out or did not start; its log says where.',
    mend: (_, { message }) => [`aws logs tail /aws/lambda/${/^the function (\S+)/.exec(message)?.[1]} --since 10m`],
  },
  {
    when: says(/is not a health report$/),
    why: (fault) => fault.hint ?? 'It is another function.',
    mend: () => ['export const handler = async () => healthCheck()', 'or deploy the sample stack: npx cdk deploy'],
  },
]
