import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AwsShell, awsShell, REGION } from './support/aws-shell.ts'
import { type LoopbackServer, startLoopbackServer } from './support/loopback-server.ts'
import { outsidePart } from './support/outside-part.ts'

/**
 * `-c vpc=true` on moto, which makes networks, other than ministack. What it does not do, and what tests it instead:
 * - no function URL, and so no outputs: here the address is read from the stack's resources, constructs.test.ts shows the output;
 * - no secret without a value: a secret by name here;
 * - which subnet has which route table is lost: the private subnets are those that lack the NAT gateway, cfn-lint and cdk-nag see the rest;
 * - a network is not destroyed in the right order: ministack destroys all else.
 */
const ACCOUNT = '123456789012'
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-vpc-'))
let moto: LoopbackServer
let shell: AwsShell

beforeAll(async () => {
  const program = outsidePart('moto', 'bin/moto_server')
  moto = await startLoopbackServer({
    command: (port) => [program, '--host', '127.0.0.1', '--port', String(port)],
    readyPath: '/moto-api/',
  })
  // By this name only does it find templates under the path of an address, where the CDK puts them.
  shell = awsShell(moto.url.replace('127.0.0.1', 'localhost'), folder)
  const cdk = (line: string) => shell.sh(`npx cdk ${line} --build true --output ${join(folder, 'cdk.out')}`)
  await cdk(`bootstrap aws://${ACCOUNT}/${REGION}`)
  await cdk('deploy --require-approval never -c vpc=true -c secretName=app/db')
})

afterAll(async () => {
  await moto?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** What `aws ec2` lists under this name. */
async function list(command: string, member: string): Promise<readonly Record<string, unknown>[]> {
  return Object(await shell.aws(`ec2 ${command}`))[member]
}

async function theFunction(): Promise<{ SubnetIds: readonly string[]; SecurityGroupIds: readonly string[] }> {
  return Object(await shell.aws('lambda list-functions --query Functions[0].VpcConfig'))
}

test('connections come from one Elastic IP, that of the only NAT gateway, which the stack gives as the address to allow', async () => {
  const [address] = await list('describe-addresses', 'Addresses')
  const PublicIp = expect.stringMatching(/^\d+(?:\.\d+){3}$/)
  expect(address).toMatchObject({ Domain: 'vpc', PublicIp })
  const gateways = await list('describe-nat-gateways', 'NatGateways')
  expect(gateways).toMatchObject([
    { State: 'available', ConnectivityType: 'public', NatGatewayAddresses: [{ PublicIp: address?.PublicIp }] },
  ])
  const ref =
    'cloudformation describe-stack-resource --stack-name CockroachHealthCheck --logical-resource-id NatAddress'
  expect(await shell.aws(`${ref} --query StackResourceDetail.PhysicalResourceId`)).toBe(address?.PublicIp)
})

test('the function is in two subnets without the gateway, each with a route table to it', async () => {
  const [gateway] = await list('describe-nat-gateways', 'NatGateways')
  const { SubnetIds } = await theFunction()
  expect(SubnetIds).toHaveLength(2)
  expect(SubnetIds).not.toContain(gateway?.SubnetId)
  const routes = (await list('describe-route-tables', 'RouteTables')).flatMap(({ Routes }) => Routes)
  const waysOut = routes.filter((route) => Object(route).DestinationCidrBlock === '0.0.0.0/0')
  expect(waysOut.filter((route) => Object(route).NatGatewayId === gateway?.NatGatewayId)).toHaveLength(2)
  expect(waysOut).toHaveLength(4)
})

test('Secrets Manager has an endpoint in the same subnets under its own name, open to the function alone', async () => {
  const { SubnetIds, SecurityGroupIds } = await theFunction()
  const [endpoint] = await list('describe-vpc-endpoints', 'VpcEndpoints')
  expect(endpoint).toMatchObject({
    VpcEndpointType: 'Interface',
    ServiceName: `com.amazonaws.${REGION}.secretsmanager`,
    PrivateDnsEnabled: true,
    SubnetIds,
  })
  const [{ GroupId } = { GroupId: '' }] = Object(endpoint).Groups
  const [group] = await list(`describe-security-groups --group-ids ${GroupId}`, 'SecurityGroups')
  expect(group?.IpPermissions).toMatchObject([
    { FromPort: 443, ToPort: 443, UserIdGroupPairs: [{ GroupId: SecurityGroupIds[0] }], IpRanges: [] },
  ])
})

test('refused traffic is logged', async () => {
  expect(await list('describe-flow-logs', 'FlowLogs')).toMatchObject([{ TrafficType: 'REJECT' }])
})
