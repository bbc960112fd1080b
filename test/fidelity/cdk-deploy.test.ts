import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCloud, type TestCloud } from '../support/database.ts'
import { REGION } from './support/aws-shell.ts'
import { createHttpApi, invokeFunction } from './support/deployed-function.ts'
import { ACCOUNT, firstJson, type Ministack, startMinistack } from './support/ministack.ts'
import { wholeReport } from './support/whole-report.ts'

/**
 * What ministack does not do, and what tests it instead:
 * - no AWS::EC2 types that the VPC variant needs: vpc-deploy.test.ts; the test of `vpc` here fails when it has them;
 * - a secret without a value has an empty one: secret-source.test.ts shows what AWS answers;
 * - a secret's Ref is its name, not its ARN, also in policies: the role is asked about in the stack with `secretName`;
 * - alarms are judged only when they are made or metrics are put, and what a rule starts is not counted: here the schedule's
 *   event is sent by hand, and the alarm's state set; that AWS publishes to the topic, its own policy must allow;
 * - no Runtime API, no /opt, no freezing: the tests of the runtime interface client and emulator;
 * - policies are kept but not enforced on a function: the last tests here ask its IAM what they allow.
 */
const STACK = 'CockroachHealthCheck'
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-deploy-'))
const secretFile = join(folder, 'secret.txt')
let connectionText: string
let ministack: Ministack
let cloud: TestCloud

beforeAll(async () => {
  cloud = await openCloud()
  ministack = await startMinistack(folder)
  writeFileSync(join(folder, 'own-ca.crt'), cloud.authority.certificate)
  const { user, password, host, standIn } = cloud
  connectionText = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${standIn.port}/defaultdb?sslmode=verify-full\n`
})

afterAll(async () => {
  await ministack?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** What cdk.json builds first is there since `npm run test:fidelity` began; the first deployment builds it all the same. */
async function cdk(line: string, { build = false } = {}): Promise<string> {
  return await ministack.sh(`npx cdk ${line} --output ${join(folder, 'cdk.out')}${build ? '' : ' --build true'}`)
}

/** Deploys, and gives the stack's outputs. */
async function deploy(context = '', options?: { build: boolean }): Promise<Readonly<Record<string, string>>> {
  const file = join(folder, 'outputs.json')
  await cdk(`deploy --require-approval never --outputs-file ${file} ${context}`, options)
  return JSON.parse(readFileSync(file, 'utf8'))[STACK]
}

/** What a line of curl prints, and the status beside it. */
async function http(line: string): Promise<{ status: number; report: unknown }> {
  const answer = await ministack.sh(`${line} --silent --show-error --write-out '\\n%{http_code}'`, { cwd: folder })
  const [report = '', status] = answer.split('\n')
  return { status: Number(status), report: JSON.parse(report) }
}

/** Types the output that asks over the URL. ministack speaks HTTP: the line as it is, but for scheme and address. */
async function askUrl(line = ''): Promise<{ status: number; report: unknown }> {
  const { host } = new URL(/https:\S+/.exec(line)?.[0] ?? '')
  return await http(`${line.replace('https:', 'http:')} --connect-to ${host}:80:${new URL(ministack.url).host}`)
}

/** Types what an output says, where secret.txt is. */
async function type(line: string | undefined): Promise<string> {
  return await ministack.sh(`${line}`, { cwd: folder })
}

async function theFunction(): Promise<{ name: string; role: string; layers: readonly string[]; logGroup: string }> {
  const answer: unknown = await ministack.aws(
    'lambda list-functions --query "Functions[?starts_with(FunctionName, \'CockroachHealthCheck\')].{name: FunctionName, role: Role, layers: Layers[].Arn, logGroup: LoggingConfig.LogGroup} | [0]"',
  )
  return Object(answer)
}

/** What a stack could leave behind; the names of each kind. */
async function remains(): Promise<Readonly<Record<string, unknown>>> {
  const questions = {
    stacks: 'cloudformation describe-stacks --query "Stacks[].StackName"',
    functions: 'lambda list-functions --query "Functions[].FunctionName"',
    layers: 'lambda list-layers --query "Layers[].LayerName"',
    logGroups: 'logs describe-log-groups --query "logGroups[].logGroupName"',
    roles: 'iam list-roles --query "Roles[?!starts_with(RoleName, \'cdk-\')].RoleName"',
    rules: 'events list-rules --query "Rules[].Name"',
    alarms: 'cloudwatch describe-alarms --query "MetricAlarms[].AlarmName"',
    secrets: 'secretsmanager list-secrets --query "SecretList[].Name"',
  }
  const answers = Object.entries(questions).map(async ([name, line]) => [name, await ministack.aws(line)] as const)
  return Object.fromEntries(await Promise.all(answers))
}

/** What `remains()` must find before the stack is destroyed: otherwise an empty answer would prove nothing. */
const SOMETHING = {
  stacks: expect.arrayContaining([STACK]),
  functions: [expect.stringContaining(STACK)],
  layers: [expect.any(String)],
  logGroups: [expect.any(String)],
  roles: [expect.stringContaining('HealthCheckRole')],
}
const NOTHING = { stacks: ['CDKToolkit'], functions: [], layers: [], logGroups: [], roles: [], rules: [], alarms: [] }

test('cdk bootstrap makes the bucket for assets', async () => {
  await cdk(`bootstrap aws://${ACCOUNT}/${REGION}`)
  expect(await ministack.aws('s3api list-buckets --query "Buckets[].Name"')).toEqual([
    `cdk-hnb659fds-assets-${ACCOUNT}-${REGION}`,
  ])
})

/** What the health check says that fills an empty secret. */
const FILL = 'aws secretsmanager put-secret-value'

describe('a stack with a new secret', () => {
  let outputs: Readonly<Record<string, string>>
  let firstLayers: readonly string[]
  let api: { id: string; url: string }

  test('is deployed, and its outputs are the commands to type next', async () => {
    outputs = await deploy('', { build: true })
    expect(Object.keys(outputs).sort()).toEqual([
      'AttachLayerReplacingOthers',
      'CheckHealthOverHttpWithKeysInEnvironment',
      'Step1PasteConnectionStringOfCloudConsoleThenCtrlD',
      'Step2FillSecret',
      'Step3CheckHealth',
    ])
    firstLayers = (await theFunction()).layers
    expect(firstLayers).toHaveLength(1)
    expect(await remains()).toMatchObject({ ...SOMETHING, secrets: [expect.stringContaining('EmptySecret')] })
  })

  test('before the secret is filled, the check reports the command that fills it', async () => {
    const report = { ok: false, error: { code: 'ERR_SECRET_INVALID', hint: expect.stringContaining(FILL) } }
    expect(firstJson(await type(outputs.Step3CheckHealth))).toMatchObject(report)
    const { name } = await theFunction()
    api = await createHttpApi(ministack, name)
    expect(await invokeFunction(ministack, name)).toMatchObject({ payload: report, functionError: undefined })
    expect(await askUrl(outputs.CheckHealthOverHttpWithKeysInEnvironment)).toMatchObject({ status: 503, report })
    expect(await http(`curl ${api.url}`)).toMatchObject({ status: 503, report })
  })

  test('that command fills it from secret.txt, which it deletes', async () => {
    const { payload } = await invokeFunction(ministack, (await theFunction()).name)
    const { hint } = Object(payload).error
    writeFileSync(secretFile, `postgresql://app:wrong@${cloud.host}:${cloud.standIn.port}/defaultdb`)
    await type(hint.slice(hint.indexOf(FILL)))
    expect(existsSync(secretFile)).toBe(false)
    const { payload: report } = await invokeFunction(ministack, (await theFunction()).name)
    expect(report).toMatchObject({ ok: false, error: { code: 'ERR_TLS' } })
  })

  test('step 1 writes secret.txt for nobody else, step 2 fills the secret; the check then refuses a server whose authority is not public', async () => {
    await type(`printf %s '${connectionText}' | ${outputs.Step1PasteConnectionStringOfCloudConsoleThenCtrlD}`)
    expect(statSync(secretFile).mode & 0o077).toBe(0)
    await type(outputs.Step2FillSecret)
    expect(existsSync(secretFile)).toBe(false)
    expect(firstJson(await type(outputs.Step3CheckHealth))).toMatchObject({ ok: false, error: { code: 'ERR_TLS' } })
  })

  test('an update with a rootCertificate makes a new layer version, and the function answers from the database', async () => {
    outputs = await deploy(`-c rootCertificate=${join(folder, 'own-ca.crt')}`)
    const { layers } = await theFunction()
    expect(layers).toHaveLength(1)
    expect(layers).not.toEqual(firstLayers)
    cloud.standIn.crdbVersion = 'CockroachDB CCL v25.4.2'
    const server = { name: 'CockroachDB', version: 'CockroachDB CCL v25.4.2' }
    const { name } = await theFunction()
    const cold = await invokeFunction(ministack, name)
    expect(cold).toEqual({ payload: wholeReport(cloud, 1, server), functionError: undefined })
    expect((await invokeFunction(ministack, name)).payload).toEqual(wholeReport(cloud, 2, server))
    expect(firstJson(await type(outputs.Step3CheckHealth))).toEqual(wholeReport(cloud, 3, server))
    cloud.standIn.crdbVersion = undefined
    expect(JSON.stringify(cold)).not.toContain(cloud.password)
  })

  test('the URL answers a signed request, and an HTTP API its own, with 200 and the report', async () => {
    const report = { ok: true, connection: { host: cloud.host } }
    expect(await askUrl(outputs.CheckHealthOverHttpWithKeysInEnvironment)).toMatchObject({ status: 200, report })
    expect(await http(`curl ${api.url}`)).toMatchObject({ status: 200, report })
    await ministack.aws(`apigatewayv2 delete-api --api-id ${api.id}`)
  })

  test('the layer can be attached to a function of your own', async () => {
    writeFileSync(join(folder, 'index.js'), "exports.handler = async () => typeof require('cockroach-lambda').query")
    await ministack.sh(
      `python3 -m zipfile -c own.zip index.js && aws lambda create-function --function-name my-own --runtime nodejs24.x --handler index.handler --role ${(await theFunction()).role} --zip-file fileb://own.zip`,
      { cwd: folder },
    )
    await type(outputs.AttachLayerReplacingOthers?.replace('MY_FUNCTION', 'my-own'))
    expect(await ministack.sh('aws lambda invoke --function-name my-own /dev/stdout')).toMatch(/^"function"/)
    await ministack.sh('aws lambda delete-function --function-name my-own')
    await ministack.sh('aws logs delete-log-group --log-group-name /aws/lambda/my-own')
  })

  test('cdk destroy leaves nothing but the secret, with its value', async () => {
    await cdk('destroy --force')
    const { secrets, ...others } = await remains()
    expect(others).toEqual(NOTHING)
    expect(secrets).toEqual([expect.stringContaining('EmptySecret')])
    const value = await ministack.aws(
      `secretsmanager get-secret-value --secret-id ${Object(secrets)[0]} --query SecretString`,
    )
    expect(value).toBe(connectionText)
    await ministack.aws(
      `secretsmanager delete-secret --secret-id ${Object(secrets)[0]} --force-delete-without-recovery`,
    )
  })
})

describe('a stack with a secret that exists, a schedule, and a topic for its alarm', () => {
  const context = () =>
    `-c secretName=app/db -c schedule="rate(1 hour)" -c alarmTopicArn=${topicArn} -c rootCertificate=${join(folder, 'own-ca.crt')}`

  let outputs: Readonly<Record<string, string>>
  let topicArn: unknown
  let queueUrl: unknown

  beforeAll(async () => {
    topicArn = await ministack.aws('sns create-topic --name on-call --query TopicArn')
    queueUrl = await sqs('create-queue --queue-name on-call --query QueueUrl')
  })

  /** The command line ignores AWS_ENDPOINT_URL for this one service. */
  async function sqs(line: string): Promise<unknown> {
    return await ministack.aws(`sqs ${line} --endpoint-url ${ministack.url}`)
  }

  /** The message that the topic's subscriber received. */
  async function receivedMessage(): Promise<unknown> {
    const receive = `receive-message --queue-url ${queueUrl} --wait-time-seconds 10 --query Messages[0].[ReceiptHandle,Body]`
    const [receipt, body] = Object(await sqs(receive))
    await sqs(`delete-message --queue-url ${queueUrl} --receipt-handle '${receipt}'`)
    return JSON.parse(JSON.parse(body).Message)
  }

  test('is deployed; without the secret, a scheduled event is counted in the metric of the alarm', async () => {
    outputs = await deploy(context())
    expect(await ministack.aws('events list-rules --query "Rules[].ScheduleExpression"')).toEqual(['rate(1 hour)'])
    expect(await remains()).toMatchObject({ ...SOMETHING, rules: [expect.any(String)], alarms: [expect.any(String)] })
    expect(await type(outputs.ShowAlarm)).toMatch(/^"(OK|INSUFFICIENT_DATA)"/)
    const { name } = await theFunction()
    const event = { source: 'aws.events', 'detail-type': 'Scheduled Event' }
    // Its type is the handler's test's to show: ministack calls every one Runtime.HandlerError.
    expect(await invokeFunction(ministack, name, event)).toEqual({
      payload: expect.objectContaining({ errorMessage: expect.stringContaining('GetSecretValue for "app/db"') }),
      functionError: 'Unhandled',
    })
    const metric = await ministack.aws(
      'cloudwatch describe-alarms --query "MetricAlarms[0].[Namespace, MetricName, Dimensions[0].Value]"',
    )
    expect(metric).toEqual(['AWS/Lambda', 'Errors', name])
    const sums = await ministack.aws(
      `cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Errors --dimensions Name=FunctionName,Value=${name} --statistics Sum --period 3600 --start-time $(date -ud -1hour +%FT%TZ) --end-time $(date -ud +1hour +%FT%TZ) --query "sum(Datapoints[].Sum)"`,
    )
    expect(sums).toBe(1)
  })

  test('answers from the database when the secret exists', async () => {
    writeFileSync(secretFile, connectionText)
    await ministack.sh('aws secretsmanager create-secret --name app/db --secret-string file://secret.txt', {
      cwd: folder,
    })
    const server = { name: 'PostgreSQL', version: expect.stringMatching(/^18\./) }
    expect(firstJson(await type(outputs.Step1CheckHealth))).toEqual(wholeReport(cloud, 1, server))
  })

  test('the alarm publishes to the topic when it is raised and when it is over', async () => {
    // From here on: ministack has judged the new alarm by another function's metrics already, and published to the topic.
    const queueArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:on-call`
    await ministack.aws(`sns subscribe --topic-arn ${topicArn} --protocol sqs --notification-endpoint ${queueArn}`)
    const { AlarmName } = Object(await ministack.aws('cloudwatch describe-alarms --query "MetricAlarms[0]"'))
    for (const state of ['ALARM', 'OK']) {
      await ministack.sh(
        `aws cloudwatch set-alarm-state --alarm-name ${AlarmName} --state-value ${state} --state-reason test`,
      )
      expect(await receivedMessage()).toMatchObject({ AlarmName, NewStateValue: state })
      expect(await type(outputs.ShowAlarm)).toBe(`"${state}"\n`)
    }
  })

  describe("the function's role", () => {
    const RESOURCES: Readonly<Record<string, () => Promise<string>>> = {
      'its secret': async () =>
        String(await ministack.aws('secretsmanager describe-secret --secret-id app/db --query ARN')),
      'another secret': async () => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:app/db2-AbCdEf`,
      'its log group': async () => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${(await theFunction()).logGroup}:*`,
      'another log group': async () => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/another:*`,
      anything: async () => '*',
    }

    test.each<[action: string, name: string, decision: 'allowed' | 'implicitDeny']>([
      ['secretsmanager:GetSecretValue', 'its secret', 'allowed'],
      ['secretsmanager:DescribeSecret', 'its secret', 'allowed'],
      ['secretsmanager:PutSecretValue', 'its secret', 'implicitDeny'],
      ['secretsmanager:DeleteSecret', 'its secret', 'implicitDeny'],
      ['secretsmanager:GetSecretValue', 'another secret', 'implicitDeny'],
      ['secretsmanager:ListSecrets', 'anything', 'implicitDeny'],
      ['logs:CreateLogStream', 'its log group', 'allowed'],
      ['logs:PutLogEvents', 'its log group', 'allowed'],
      ['logs:PutLogEvents', 'another log group', 'implicitDeny'],
      ['logs:CreateLogGroup', 'anything', 'implicitDeny'],
      ['xray:PutTraceSegments', 'anything', 'allowed'],
      ['ec2:CreateNetworkInterface', 'anything', 'implicitDeny'],
      ['lambda:InvokeFunction', 'anything', 'implicitDeny'],
      ['iam:PassRole', 'anything', 'implicitDeny'],
      ['s3:GetObject', 'anything', 'implicitDeny'],
    ])('%s on %s: %s', async (action, name, decision) => {
      const [{ role }, resource] = await Promise.all([theFunction(), RESOURCES[name]?.()])
      const answer = await ministack.aws(
        `iam simulate-principal-policy --policy-source-arn ${role} --action-names ${action} --resource-arns '${resource}' --query EvaluationResults[0].EvalDecision`,
      )
      expect(answer).toBe(decision)
    })
  })

  test('cdk destroy leaves nothing but that secret', async () => {
    await cdk('destroy --force')
    expect(await remains()).toEqual({ ...NOTHING, secrets: ['app/db'] })
  })
})

test('a wrong value in the context fails before anything is made', async () => {
  await expect(deploy('-c scretName=app/db')).rejects.toThrow('context scretName is unknown; did you mean secretName?')
  await expect(deploy('-c alarmTopicArn=on-call')).rejects.toThrow(
    'context alarmTopicArn is "on-call"; expected arn:aws:sns:<region>:<account>:<name>',
  )
  expect(await remains()).toMatchObject(NOTHING)
})

test('vpc=true needs resource types that ministack does not have yet', async () => {
  await expect(deploy('-c vpc=true')).rejects.toThrow(
    'Unrecognized resource types: [AWS::EC2::EIP, AWS::EC2::FlowLog, AWS::EC2::NatGateway, AWS::EC2::SecurityGroupIngress]',
  )
})

describe('vpcId', () => {
  /** In another folder, where the command line keeps what it looked up. */
  async function synth(vpcId: string): Promise<string> {
    const app = `node ${join(import.meta.dirname, '../../cdk/app.ts')}`
    const bin = join(import.meta.dirname, '../../node_modules/.bin/cdk')
    return await ministack.sh(`${bin} synth --app "${app}" -c vpcId=${vpcId}`, { cwd: folder })
  }

  test('is looked up by the command line, and a VPC without private subnets is refused', async () => {
    const vpcId = String(await ministack.aws('ec2 describe-vpcs --query Vpcs[0].VpcId'))
    await expect(synth(vpcId)).rejects.toThrow(`vpcId ${vpcId} has no private subnet with a NAT gateway`)
    expect(existsSync(join(folder, 'cdk.context.json'))).toBe(true)
  })
})
