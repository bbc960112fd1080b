/** A database's layer in the form that each function can take: of the function's own stack, and for its runtime. */
import { Names, Stack } from 'aws-cdk-lib'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { CockroachLayer } from './cockroach-layer.ts'

export class FunctionLayers {
  /** The layer that was given, or one beside the database. */
  readonly layer: lambda.ILayerVersion
  readonly #database: Construct
  readonly #isGiven: boolean
  readonly #inOtherStacks = new Map<Stack, lambda.ILayerVersion>()
  readonly #forAnyRuntime = new Map<lambda.ILayerVersion, lambda.ILayerVersion>()

  constructor(database: Construct, given: lambda.ILayerVersion | undefined) {
    this.layer = given ?? new CockroachLayer(database, 'Layer')
    this.#database = database
    this.#isGiven = given !== undefined
  }

  /** What to attach to the function. */
  layerFor(fn: lambda.Function): lambda.ILayerVersion {
    return this.#forRuntime(this.#isGiven ? this.layer : this.#inStack(deployedStack(fn)), fn.runtime)
  }

  /** A layer for each stack: between stacks its ARN would be an export, which CloudFormation does not change while it is in use. */
  #inStack(stack: Stack): lambda.ILayerVersion {
    if (deployedStack(this.layer) === stack) return this.layer
    const made = this.#inOtherStacks.get(stack) ?? new CockroachLayer(stack, `${Names.uniqueId(this.#database)}Layer`)
    this.#inOtherStacks.set(stack, made)
    return made
  }

  /** Lambda attaches a layer to a function of any runtime; the CDK refuses a runtime that the layer does not list. */
  #forRuntime(layer: lambda.ILayerVersion, runtime: lambda.Runtime): lambda.ILayerVersion {
    const { compatibleRuntimes, layerVersionArn } = layer
    if (compatibleRuntimes?.some((listed) => listed.runtimeEquals(runtime)) ?? true) return layer
    const made =
      this.#forAnyRuntime.get(layer) ??
      lambda.LayerVersion.fromLayerVersionArn(
        this.#database,
        `LayerForAnyRuntime${this.#forAnyRuntime.size}`,
        layerVersionArn,
      )
    this.#forAnyRuntime.set(layer, made)
    return made
  }
}

/** The stack with which a construct is deployed: a nested stack gets ARNs as parameters, which may change. */
function deployedStack(construct: Construct): Stack {
  const stack = Stack.of(construct)
  return stack.nestedStackParent === undefined ? stack : deployedStack(stack.nestedStackParent)
}
