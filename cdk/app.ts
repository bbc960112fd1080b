/** The app that `cdk.json` runs: one sample stack, set by `-c name=value`. */
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import recommendedFeatureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' }
import { acknowledgeRules } from './acknowledged-rules.ts'
import { addExample } from './example.ts'
import { exampleNames, writeExample } from './example-folder.ts'
import { exampleFromContext, propsFromContext } from './health-check-context.ts'
import { HealthCheckStack } from './health-check-stack.ts'

/** Account and region of the command line's credentials: only the lookup of a VPC needs them, and the rest synthesises offline. */
function currentEnvironment(): { env?: { account?: string; region?: string } } {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
  return account === undefined || region === undefined ? {} : { env: { account, region } }
}

const app = new App({ context: recommendedFeatureFlags })
const props = propsFromContext(app.node)
const environment = props.vpcId === undefined ? {} : currentEnvironment()
const example = exampleFromContext(app.node, await exampleNames())
const stack = new HealthCheckStack(app, 'CockroachHealthCheck', { ...props, ...environment })
acknowledgeRules(stack)
if (example !== undefined) {
  const folder = join(app.outdir, 'example')
  await writeExample(example, folder)
  addExample(stack, example, folder)
}
app.synth()
