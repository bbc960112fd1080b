import { App, Duration, Stack } from 'aws-cdk-lib'
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { CockroachDatabase, CockroachLayer } from 'cockroach-lambda/cdk'

const stack = new Stack(new App(), 'MyStack')

const fn = new NodejsFunction(stack, 'MyFunction', {
  functionName: 'my-function',
  entry: 'function/index.mjs',
  runtime: Runtime.NODEJS_24_X,
  architecture: Architecture.ARM_64,
  memorySize: 512,
  timeout: Duration.seconds(10),
  // The library is in the layer, and stays out of the function's file.
  bundling: { format: OutputFormat.ESM, externalModules: CockroachLayer.externalModules },
})

// Attaches the layer, sets the variables, and lets the function read this one secret.
const secret = Secret.fromSecretNameV2(stack, 'Secret', '{{secretId}}')
new CockroachDatabase(stack, 'Database', { secret }).connect(fn)
