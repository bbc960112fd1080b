import { expect, test } from 'vitest'
import { putSecretValueHint } from '../../../src/secret/put-secret-value.ts'

const ARN = 'arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:app/db-AbCdEf'

test.each([
  [
    'app/db',
    'Write the connection string to secret.txt, then: aws secretsmanager put-secret-value --secret-id app/db --secret-string file://secret.txt && rm secret.txt',
  ],
  [
    ARN,
    `Write the connection string to secret.txt, then: aws secretsmanager put-secret-value --region cn-north-1 --secret-id ${ARN} --secret-string file://secret.txt && rm secret.txt`,
  ],
])('the command for %s', (secretId, command) => {
  expect(putSecretValueHint(secretId)).toBe(command)
})
