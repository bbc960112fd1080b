/** Which functions can be connected; any other is refused at synthesis, with what to do instead. */
import { Annotations, Token } from 'aws-cdk-lib'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { COCKROACH_SECRET_ID } from '../src/base/environment-variables.ts'
import { bundlesLibrary, installsLibrary } from './bundled-library.ts'

/** The library's oldest Node.js. */
const MIN_NODE = 22

/**
 * The function that gets layer and variables: for a singleton, the one that all of its kind share.
 * @throws Error when they cannot be given to this function, or would not work there.
 */
export function connectable(given: lambda.IFunction): lambda.Function {
  const { path } = given.node
  if (given instanceof lambda.QualifiedFunctionBase) {
    throw new Error(
      `${path} is an alias or a version, which has the settings of its function: connect the function, and use its currentVersion, which changes with it`,
    )
  }
  if ('edgeArn' in given) {
    throw new Error(
      `${path} is a function of Lambda@Edge, which has neither layers nor variables: connect a function that the distribution has as an origin, such as one with a function URL`,
    )
  }
  const fn = given instanceof lambda.SingletonFunction ? sharedFunction(given) : given
  if (!(fn instanceof lambda.Function)) {
    throw new Error(
      `${path} is not made by this app as a lambda.Function, and an imported function cannot be changed: connect it in the app that makes it, or attach the layer there, set ${COCKROACH_SECRET_ID}, and allow its role to read the secret`,
    )
  }
  if (fn.runtime === lambda.Runtime.FROM_IMAGE) {
    throw new Error(
      `${path} is a container image, which cannot have layers: install cockroach-lambda in the image, grant it the secret with grantRead(fn), and set ${COCKROACH_SECRET_ID}`,
    )
  }
  if (isOldNode(fn.runtime)) {
    throw new Error(
      `${path} runs on ${fn.runtime.name}; cockroach-lambda needs nodejs${MIN_NODE}.x or later: set runtime: Runtime.NODEJS_24_X`,
    )
  }
  if (bundlesLibrary(fn)) {
    throw new Error(
      `${path} bundles cockroach-lambda, which is in the layer: leave it out with bundling: { externalModules: CockroachLayer.externalModules }`,
    )
  }
  if (installsLibrary(fn)) {
    Annotations.of(fn).addWarningV2(
      'cockroach-lambda:installedBesideLayer',
      `${path} has cockroach-lambda in its node_modules, which is used instead of the layer's, also when the layer is newer: leave it out of the function's packages (development dependency)`,
    )
  }
  return fn
}

/** The function behind a singleton: permissions are put below it. */
function sharedFunction({ permissionsNode: { scope, id } }: lambda.SingletonFunction): unknown {
  return scope?.node.tryFindChild(id)
}

/** False for a name that is known at deployment only. */
function isOldNode({ family, name }: lambda.Runtime): boolean {
  if (family !== lambda.RuntimeFamily.NODEJS || Token.isUnresolved(name)) return false
  const [, major = '0'] = /^nodejs(\d+)\.x$/.exec(name) ?? []
  return Number(major) < MIN_NODE
}
