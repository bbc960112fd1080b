import { App, Duration, Stack } from 'aws-cdk-lib'
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { CockroachDatabase } from 'cockroach-lambda/cdk'

const stack = new Stack(new App(), 'MyStack')

const fn = new LambdaFunction(stack, 'MyFunction', {
  functionName: 'my-function',
  code: Code.fromAsset('build'),
  handler: 'index.handler',
  runtime: Runtime.PYTHON_3_13,
  architecture: Architecture.ARM_64,
  memorySize: 512,
  timeout: Duration.seconds(10),
})

// Attaches the layer, sets the variables, and lets the function read this one secret.
const secret = Secret.fromSecretNameV2(stack, 'Secret', '{{secretId}}')
new CockroachDatabase(stack, 'Database', { secret }).connect(fn)
