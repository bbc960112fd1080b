/** Runs the health check on a schedule, and raises an alarm when it fails. */
import { Duration } from 'aws-cdk-lib'
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import * as events from 'aws-cdk-lib/aws-events'
import * as targets from 'aws-cdk-lib/aws-events-targets'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'

const RATE = /^rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9]\d+) (?:minutes|hours|days))\)$/
const CRON = /^cron\(\S+(?: \S+){5}\)$/

/** True for a schedule expression that EventBridge accepts. */
export function isSchedule(text: string): boolean {
  return RATE.test(text) || CRON.test(text)
}

/**
 * Adds the schedule, and an alarm on runs that fail.
 * @param expression EventBridge's: `rate(5 minutes)` or `cron(0/15 * * * ? *)`.
 * @returns the alarm, to add actions to.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function addSchedule(scope: Construct, healthCheck: lambda.Function, expression: string): cloudwatch.Alarm {
  if (!isSchedule(expression)) {
    throw new Error(`schedule is "${expression}"; expected rate(5 minutes) or cron(0/15 * * * ? *)`)
  }
  new events.Rule(scope, 'Schedule', {
    description: 'Runs the health check',
    schedule: events.Schedule.expression(expression),
    targets: [new targets.LambdaFunction(healthCheck)],
  })
  // Lambda's two repeats would count one failure three times, and hide one that is over by then.
  healthCheck.configureAsyncInvoke({ retryAttempts: 0 })
  return new cloudwatch.Alarm(scope, 'Unhealthy', {
    alarmDescription: 'The scheduled health check did not reach the database; the log of its function says why',
    metric: healthCheck.metricErrors({ period: Duration.minutes(5) }),
    threshold: 1,
    evaluationPeriods: 1,
    // Between two runs there is no data: the alarm keeps the state that the last run gave it.
    treatMissingData: cloudwatch.TreatMissingData.IGNORE,
  })
}
