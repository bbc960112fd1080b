/** Resolves CloudFormation's intrinsic functions whose values are known on this machine, and throws for all others. */

export type JsonObject = Readonly<Record<string, unknown>>

/**
 * A resource's value on this machine: for `Ref`, or for the attribute of this name; `undefined` when it is not known.
 */
export type ResolveResource = (logicalId: string, attribute: string, resourceType: string) => string | undefined

export interface IntrinsicScope {
  readonly stackName: string
  /** The template's Resources and Parameters. */
  readonly resources: JsonObject
  readonly parameters: JsonObject
  readonly resolve: ResolveResource
}

/** Stands for `AWS::NoValue`: the property is as if it were not there. */
const NO_VALUE = Symbol('AWS::NoValue')

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
const PSEUDO_PARAMETERS: ReadonlyMap<string, (scope: IntrinsicScope) => unknown> = new Map(
  Object.entries({
    'AWS::AccountId': () => '123456789012',
    'AWS::NoValue': () => NO_VALUE,
    'AWS::NotificationARNs': () => [],
    'AWS::Partition': () => 'aws',
    'AWS::Region': () => 'us-east-1',
    'AWS::StackId': ({ stackName }) => `arn:aws:cloudformation:us-east-1:123456789012:stack/${stackName}/local`,
    'AWS::StackName': ({ stackName }) => stackName,
    'AWS::URLSuffix': () => 'amazonaws.com',
  }),
)

type Intrinsic = (argument: unknown, path: string, scope: IntrinsicScope) => unknown

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (argument, path, scope) => ref(text(argument, path), path, scope),
  'Fn::GetAtt': (argument, path, scope) => {
    const parts =
      typeof argument === 'string' ? argument.split('.') : list(argument, path).map((part) => text(part, path))
    const [logicalId = '', ...attribute] = parts
    return attributeOf(logicalId, attribute.join('.'), path, scope)
  },
  'Fn::Join': (argument, path, scope) => {
    const [delimiter, parts] = list(argument, path)
    const resolved = list(resolveIntrinsics(parts, path, scope), path)
    return resolved.map((part) => text(part, path)).join(text(delimiter, path))
  },
  'Fn::Select': (argument, path, scope) => {
    const [index, from] = list(argument, path)
    return list(resolveIntrinsics(from, path, scope), path)[Number(resolveIntrinsics(index, path, scope))]
  },
  'Fn::Split': (argument, path, scope) => {
    const [delimiter, source] = list(argument, path)
    return text(resolveIntrinsics(source, path, scope), path).split(text(delimiter, path))
  },
  'Fn::Sub': (argument, path, scope) => {
    const [template, variables = {}] = typeof argument === 'string' ? [argument] : list(argument, path)
    return substitute(text(template, path), object(variables, path), path, scope)
  },
}

/**
 * Replaces every intrinsic function in a value.
 * @param path where the value stands in the template, for errors
 * @throws Error that names the path, when something cannot be resolved
 */
export function resolveIntrinsics(value: unknown, path: string, scope: IntrinsicScope): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => resolveIntrinsics(item, `${path}[${index}]`, scope)).filter(isValue)
  }
  if (!isObject(value)) return value
  const [name = '', ...others] = Object.keys(value)
  const isIntrinsic = others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))
  if (!isIntrinsic) {
    const entries = Object.entries(value).map(([key, item]) => [key, resolveIntrinsics(item, `${path}.${key}`, scope)])
    return Object.fromEntries(entries.filter(([, item]) => isValue(item)))
  }
  const intrinsic = INTRINSICS[name]
  if (intrinsic === undefined) throw new Error(`${path}: ${name} cannot be resolved on this machine`)
  return intrinsic(value[name], path, scope)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isValue(value: unknown): boolean {
  return value !== NO_VALUE
}

function ref(name: string, path: string, scope: IntrinsicScope): unknown {
  const pseudo = PSEUDO_PARAMETERS.get(name)
  if (pseudo !== undefined) return pseudo(scope)
  const parameter = Object.hasOwn(scope.parameters, name) ? scope.parameters[name] : undefined
  if (!isObject(parameter)) return attributeOf(name, 'Ref', path, scope)
  if (parameter.Default === undefined) throw new Error(`${path}: parameter ${name} has no default`)
  return parameter.Default
}

function attributeOf(logicalId: string, attribute: string, path: string, scope: IntrinsicScope): string {
  const what = attribute === 'Ref' ? `Ref ${logicalId}` : `Fn::GetAtt ${logicalId}.${attribute}`
  const resource = Object.hasOwn(scope.resources, logicalId) ? scope.resources[logicalId] : undefined
  if (!isObject(resource)) throw new Error(`${path}: ${what} names nothing in the template`)
  const type = String(resource.Type)
  const value = scope.resolve(logicalId, attribute, type)
  if (value === undefined) throw new Error(`${path}: ${what} (${type}) is not known on this machine`)
  return value
}

/** `${Name}`, `${Resource.Attribute}`, a variable of the call, and `${!Literal}`. */
function substitute(template: string, variables: JsonObject, path: string, scope: IntrinsicScope): string {
  return template.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`
    if (Object.hasOwn(variables, name)) return text(resolveIntrinsics(variables[name], path, scope), path)
    return text(INTRINSICS[name.includes('.') ? 'Fn::GetAtt' : 'Ref']?.(name, path, scope), path)
  })
}

function text(value: unknown, path: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Error(`${path}: expected text, found ${JSON.stringify(value)}`)
}

function list(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new Error(`${path}: expected a list, found ${JSON.stringify(value)}`)
}

function object(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value
  throw new Error(`${path}: expected an object, found ${JSON.stringify(value)}`)
}
