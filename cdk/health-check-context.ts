/** Reads the sample stack's settings from `-c name=value`. */
import type { Node } from 'constructs'
import type { HealthCheckStackProps } from './health-check-stack.ts'

const ROUTINGS = ['database', 'sni', 'options'] as const

/**
 * The stack's props from the app's context.
 * @throws Error when a value is empty, the port no port, or the routing unknown.
 */
export function propsFromContext(node: Node): HealthCheckStackProps {
  const props: Record<keyof HealthCheckContext, unknown> = {
    secretName: text(node, 'secretName'),
    host: text(node, 'host'),
    port: port(node, 'port'),
    database: text(node, 'database'),
    user: text(node, 'user'),
    cluster: text(node, 'cluster'),
    clusterRouting: routing(node, 'clusterRouting'),
    rootCertificate: text(node, 'rootCertificate'),
  }
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined))
}

type HealthCheckContext = Pick<
  HealthCheckStackProps,
  'secretName' | 'host' | 'port' | 'database' | 'user' | 'cluster' | 'clusterRouting' | 'rootCertificate'
>

function text(node: Node, name: string): string | undefined {
  const value: unknown = node.tryGetContext(name)
  if (value === undefined || (typeof value === 'string' && value.trim() !== '')) return value
  throw new Error(`context ${name} is ${JSON.stringify(value)}; expected text, as in -c ${name}=value`)
}

function port(node: Node, name: string): number | undefined {
  const value = text(node, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= 1 && number <= 65_535) return number
  throw new Error(`context ${name} is "${value}"; expected 1 to 65535`)
}

function routing(node: Node, name: string): (typeof ROUTINGS)[number] | undefined {
  const value = text(node, name)
  const known = ROUTINGS.find((candidate) => candidate === value)
  if (known !== undefined || value === undefined) return known
  throw new Error(`context ${name} is "${value}"; expected ${ROUTINGS.join(', ')}`)
}
