/** Reads a Lambda function's definition from what `cdk synth` wrote, so that it is stated only once. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FunctionDefinition, LambdaRuntime } from './function-definition.ts'
import {
  type IntrinsicScope,
  isObject,
  type JsonObject,
  type ResolveResource,
  resolveIntrinsics,
} from './intrinsics.ts'

const RUNTIMES: readonly LambdaRuntime[] = ['nodejs22.x', 'nodejs24.x', 'nodejs26.x']

export interface TemplateSource {
  /** The folder that `cdk synth` writes, `cdk.out`. */
  readonly cdkOut: string
  readonly stackName: string
  /** Which function, when the stack has several; matched against logical ids. */
  readonly logicalIdPattern?: RegExp
  /** The values of the stack's resources on this machine, for example a secret's ARN. */
  readonly resolve: ResolveResource
}

/**
 * Reads `<stack>.template.json` and `<stack>.assets.json`.
 * @throws Error naming the path in the template, when something is missing or cannot be resolved
 */
export async function functionFromTemplate({
  cdkOut,
  stackName,
  logicalIdPattern = /./,
  resolve,
}: TemplateSource): Promise<FunctionDefinition> {
  const template = await readJson(join(cdkOut, `${stackName}.template.json`))
  const assets = await readJson(join(cdkOut, `${stackName}.assets.json`))
  const resources = member(template, 'Resources')
  const scope: IntrinsicScope = { stackName, resources, parameters: member(template, 'Parameters'), resolve }
  const logicalId = findFunction(resources, logicalIdPattern, stackName)
  const properties = member(member(resources, logicalId), 'Properties')
  const path = `Resources.${logicalId}.Properties`
  const get = (name: string) => resolveIntrinsics(properties[name], `${path}.${name}`, scope)
  const asset = (code: unknown, at: string) => join(cdkOut, assetPath(resolveIntrinsics(code, at, scope), at, assets))

  const layers = properties.Layers ?? []
  if (!Array.isArray(layers)) throw new Error(`${path}.Layers: expected a list`)
  return {
    handler: requiredText(get('Handler'), `${path}.Handler`),
    runtime: lambdaRuntime(get('Runtime'), `${path}.Runtime`),
    code: asset(properties.Code, `${path}.Code`),
    layers: layers.map((layer: unknown, index) => {
      const layerId = layerInStack(layer, `${path}.Layers[${index}]`, resources)
      const content = member(member(resources, layerId), 'Properties').Content
      return asset(content, `Resources.${layerId}.Properties.Content`)
    }),
    environment: variables(get('Environment')),
    // Lambda's own defaults.
    timeoutSeconds: Number(get('Timeout') ?? 3),
    memoryMb: Number(get('MemorySize') ?? 128),
  }
}

function findFunction(resources: JsonObject, pattern: RegExp, stackName: string): string {
  const all = Object.keys(resources).filter((id) => member(resources, id).Type === 'AWS::Lambda::Function')
  const [logicalId, ...others] = all.filter((id) => pattern.test(id))
  if (logicalId !== undefined && others.length === 0) return logicalId
  const found = logicalId === undefined ? 'no function' : 'several functions'
  throw new Error(`${stackName} has ${found} matching ${pattern}; its functions: ${all.join(', ') || 'none'}`)
}

/** The layer must be one of the stack's own: the content of others is not available. */
function layerInStack(layer: unknown, path: string, resources: JsonObject): string {
  const logicalId = isObject(layer) ? layer.Ref : undefined
  if (typeof logicalId === 'string' && member(resources, logicalId).Type === 'AWS::Lambda::LayerVersion') {
    return logicalId
  }
  throw new Error(`${path}: ${JSON.stringify(layer)} is not a layer of this stack`)
}

/** Finds the zip file or folder that `cdk deploy` would upload to this S3Key. */
function assetPath(code: unknown, path: string, assets: JsonObject): string {
  const key = isObject(code) ? code.S3Key : undefined
  if (typeof key !== 'string') throw new Error(`${path}: expected the S3Key of a file asset`)
  const file = Object.values(member(assets, 'files')).find((asset) =>
    Object.values(member(asset, 'destinations')).some((destination) => member(destination).objectKey === key),
  )
  const source = member(file, 'source').path
  if (typeof source !== 'string') throw new Error(`${path}: no asset has the S3Key ${key}`)
  return source
}

function variables(environment: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(member(environment, 'Variables')).map(([name, value]) => [name, String(value)]),
  )
}

function lambdaRuntime(value: unknown, path: string): LambdaRuntime {
  const runtime = RUNTIMES.find((known) => known === value)
  if (runtime === undefined) throw new Error(`${path}: "${value}" is not one of ${RUNTIMES.join(', ')}`)
  return runtime
}

function requiredText(value: unknown, path: string): string {
  if (typeof value === 'string') return value
  throw new Error(`${path}: expected text, found ${JSON.stringify(value)}`)
}

/** A member that is an object, or the value itself; an empty object when there is none. */
function member(value: unknown, name?: string): JsonObject {
  const found = name === undefined ? value : isObject(value) ? value[name] : undefined
  return isObject(found) ? found : {}
}

async function readJson(path: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`${path} does not exist: run cdk synth first`, { cause })
  })
  return member(JSON.parse(text))
}
