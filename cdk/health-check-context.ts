/** Reads the sample stack's settings from `-c name=value`. */
import type { Node } from 'constructs'
import { nearest } from '../src/base/nearest.ts'
import { CLUSTER_ROUTINGS, type ClusterRouting } from '../src/routing/cluster-routing.ts'
import { topicArnProblem } from './alarm-topic.ts'
import { isSchedule } from './health-check-schedule.ts'
import type { HealthCheckStackProps } from './health-check-stack.ts'

/** Each name, and how its value is read. */
const READERS = {
  secretName,
  auth,
  jwtAudience: text,
  host: text,
  port,
  database: text,
  user: text,
  cluster: text,
  clusterRouting: routing,
  rootCertificate: text,
  vpc: flag,
  vpcId,
  schedule,
  alarmTopicArn: topicArn,
  dashboard: flag,
  rotateAfterDays: days,
} satisfies { readonly [Name in keyof HealthCheckStackProps]: (name: string, value: unknown) => unknown }

/** The names that `-c` may set. */
export const CONTEXT_NAMES: readonly string[] = Object.keys(READERS)

/** Names a folder of `examples/` to deploy with the stack; no prop, since the npm package has no examples. */
const EXAMPLE = 'example'

/**
 * The CDK's own names: what its command line adds, feature flags of its packages and of others, and what it has looked up
 * (`vpc-provider:account=…`).
 */
const CDK_NAME =
  /^(?:acknowledged-issue-numbers|cli-telemetry|@[\w-]+\/.*|(?:aws:cdk|aws-cdk|cdk):.*|[\w-]+:account=.*)$/s

/**
 * The stack's props from the app's context.
 * @throws Error when a name is unknown, with the nearest known one, or when a value is not valid.
 */
export function propsFromContext(node: Node): HealthCheckStackProps {
  const context: Readonly<Record<string, unknown>> = node.getAllContext()
  refuseUnknownNames(Object.keys(context))
  return Object.fromEntries(
    Object.entries(READERS).flatMap(([name, read]) =>
      context[name] === undefined ? [] : [[name, read(name, context[name])]],
    ),
  )
}

/**
 * The example of `-c example=…`.
 * @throws Error for one that is not there, and for settings that do not go with it.
 */
export function exampleFromContext(node: Node, examples: readonly string[]): string | undefined {
  const name: unknown = node.tryGetContext(EXAMPLE)
  if (name === undefined) return undefined
  const known = examples.find((example) => example === name)
  if (known === undefined) {
    throw new Error(`context ${EXAMPLE} is ${JSON.stringify(name)}; expected ${examples.join(', ')}`)
  }
  if (node.tryGetContext('secretName') === undefined) {
    throw new Error(
      `context ${EXAMPLE} needs secretName: the deployment runs the migrations, so the secret must be filled before`,
    )
  }
  const network = ['vpc', 'vpcId'].find((other) => node.tryGetContext(other) !== undefined)
  if (network === undefined) return known
  throw new Error(`context ${EXAMPLE} excludes ${network}: its functions are not put into a VPC`)
}

function refuseUnknownNames(names: readonly string[]): void {
  const known = [...CONTEXT_NAMES, EXAMPLE]
  const unknown = names.filter((name) => !known.includes(name) && !CDK_NAME.test(name))
  if (unknown.length === 0) return
  const problems = unknown.map((name) => `context ${name} is unknown; did you mean ${nearest(lastPart(name), known)}?`)
  throw new Error(`${problems.join(' ')} The known names are ${known.join(', ')}`)
}

/** What follows the last colon or slash: a name of ours may stand behind the stack's, the form of `--parameters`. */
function lastPart(name: string): string {
  return name.replace(/^.*[:/]/s, '')
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected text, as in -c ${name}=value`)
}

function secretName(name: string, value: unknown): string {
  const secret = text(name, value)
  if (!secret.startsWith('arn:')) return secret
  throw new Error(`context ${name} is an ARN; expected only the name of a secret in the stack's account and region`)
}

function auth(name: string, value: unknown): 'jwt' {
  if (value === 'jwt') return value
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected jwt, or no ${name} for a secret`)
}

function port(name: string, value: unknown): number {
  const number = Number(value)
  if (/^\d+$/.test(String(value)) && number >= 1 && number <= 65_535) return number
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected 1 to 65535`)
}

function days(name: string, value: unknown): number {
  const number = Number(value)
  if (/^\d+$/.test(String(value)) && number >= 1 && number <= 1000) return number
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected 1 to 1000`)
}

function routing(name: string, value: unknown): ClusterRouting {
  const known = CLUSTER_ROUTINGS.find((candidate) => candidate === value)
  if (known !== undefined) return known
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected ${CLUSTER_ROUTINGS.join(', ')}`)
}

function flag(name: string, value: unknown): boolean {
  const known = new Map([
    ['true', true],
    ['false', false],
  ]).get(String(value))
  if (known !== undefined) return known
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected true or false`)
}

function vpcId(name: string, value: unknown): string {
  if (typeof value === 'string' && /^vpc-[\da-f]+$/.test(value)) return value
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected vpc- and hexadecimal digits`)
}

function schedule(name: string, value: unknown): string {
  if (typeof value === 'string' && isSchedule(value)) return value
  throw new Error(
    `context ${name} is ${JSON.stringify(value)}; expected "rate(5 minutes)" or "cron(0/15 * * * ? *)", quoted`,
  )
}

function topicArn(name: string, value: unknown): string {
  const problem = topicArnProblem(String(value))
  if (problem === undefined) return String(value)
  throw new Error(`context ${name} ${problem}, as aws sns list-topics prints it`)
}
