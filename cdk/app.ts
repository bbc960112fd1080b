/** The app that `cdk.json` runs: one sample stack, set by `-c name=value`. */
import { App } from 'aws-cdk-lib'
import recommendedFeatureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' }
import { acknowledgeRules } from './acknowledged-rules.ts'
import { propsFromContext } from './health-check-context.ts'
import { HealthCheckStack } from './health-check-stack.ts'

/** Account and region of the command line's credentials: only the lookup of a VPC needs them, and the rest synthesises offline. */
function currentEnvironment(): { env?: { account?: string; region?: string } } {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
  return account === undefined || region === undefined ? {} : { env: { account, region } }
}

const app = new App({ context: recommendedFeatureFlags })
const props = propsFromContext(app.node)
const environment = props.vpcId === undefined ? {} : currentEnvironment()
acknowledgeRules(new HealthCheckStack(app, 'CockroachHealthCheck', { ...props, ...environment }))
app.synth()
