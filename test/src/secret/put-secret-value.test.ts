import { expect, test } from 'vitest'
import { putSecretValueCommand } from '../../../src/secret/put-secret-value.ts'

const ARN = 'arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:app/db-AbCdEf'

test.each([
  ['app/db', "aws secretsmanager put-secret-value --secret-id app/db --secret-string '…'"],
  [ARN, `aws secretsmanager put-secret-value --region cn-north-1 --secret-id ${ARN} --secret-string '…'`],
])('the command for %s', (secretId, command) => {
  expect(putSecretValueCommand(secretId, '…')).toBe(command)
})
