/** Draws the library's metrics of one function. */
import { Duration } from 'aws-cdk-lib'
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { COCKROACH_METRICS } from '../src/base/environment-variables.ts'
import { CONNECT_TIME, COUNTS, METRIC_DIMENSION, METRIC_NAMESPACE } from '../src/base/metric-names.ts'

const PERIOD = Duration.minutes(5)

/** Has the function write its metrics, and adds a dashboard of them. */
export function addDashboard(scope: Construct, fn: lambda.Function): cloudwatch.Dashboard {
  fn.addEnvironment(COCKROACH_METRICS, 'emf')
  const metric = (metricName: string, statistic: string): cloudwatch.Metric =>
    new cloudwatch.Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      statistic,
      dimensionsMap: { [METRIC_DIMENSION]: fn.functionName },
      period: PERIOD,
    })
  const sums = (names: readonly string[]): cloudwatch.Metric[] => names.map((name) => metric(name, 'Sum'))
  const graph = (title: string, left: cloudwatch.IMetric[]): cloudwatch.GraphWidget =>
    new cloudwatch.GraphWidget({ title, left, width: 12 })
  const { connect, reuse, discard, retry, secret, loginRefused, deadline } = COUNTS
  return new cloudwatch.Dashboard(scope, 'Dashboard', {
    widgets: [
      [
        graph('Connections', sums([connect, reuse, discard])),
        graph(
          'Time to connect',
          ['p50', 'p99', 'Maximum'].map((statistic) => metric(CONNECT_TIME, statistic)),
        ),
      ],
      [
        graph('Transactions that ran again, deadlines', sums([retry, deadline])),
        graph('Secret and logins', sums([secret, loginRefused])),
      ],
    ],
  })
}
