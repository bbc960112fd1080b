/** One of `examples/` in the sample stack (`-c example=drizzle`): its function, and its migrations on each deployment. */
import { CfnOutput } from 'aws-cdk-lib'
import { Trigger } from 'aws-cdk-lib/triggers'
import type { HealthCheckStack } from './health-check-stack.ts'
import { packagedFunction } from './packaged-function.ts'

/**
 * Adds the function, connected, and a second one with the same code that applies `migrations/`: the deployment runs it
 * whenever the code has changed, and fails when it fails.
 *
 * @param name of the folder below `examples/`
 * @param folder with the code as it is uploaded
 */
export function addExample(stack: HealthCheckStack, name: string, folder: string): void {
  const fn = packagedFunction(stack, 'Example', { description: `Example ${name}`, folder, handler: 'index.handler' })
  const migration = packagedFunction(stack, 'Migration', {
    description: `Migrations of the example ${name}`,
    folder,
    handler: 'migrate.handler',
  })
  stack.database.connect(fn)
  stack.database.connect(migration)
  new Trigger(stack, 'Migrate', { handler: migration, executeBefore: [fn] })
  new CfnOutput(stack, 'ListAccountsOfExample', {
    description: 'List the accounts of the example; examples/README.md has its other commands',
    value: `aws lambda invoke --region ${stack.region} --function-name ${fn.functionName} --cli-binary-format raw-in-base64-out --payload '{"command":"list"}' /dev/stdout`,
  })
}
