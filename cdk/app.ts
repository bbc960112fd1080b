/** The app that `cdk.json` runs: one sample stack, set by `-c name=value`. */
import { App } from 'aws-cdk-lib'
import recommendedFeatureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' }
import { acknowledgeRules } from './acknowledged-rules.ts'
import { propsFromContext } from './health-check-context.ts'
import { HealthCheckStack } from './health-check-stack.ts'

const app = new App({ context: recommendedFeatureFlags })
acknowledgeRules(new HealthCheckStack(app, 'CockroachHealthCheck', propsFromContext(app.node)))
app.synth()
