/** Tells an SNS topic when an alarm is raised, and when it is over. */
import { Token } from 'aws-cdk-lib'
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

/** A subscription's ARN has one part more; that of a queue or a function another service. */
const TOPIC_ARN = /^arn:aws(?:-[a-z]+)*:sns:[a-z]+(?:-[a-z]+)+-\d+:\d{12}:[\w-]{1,256}(?:\.fifo)?$/

/** True for what may be the ARN of a topic. */
export function isTopicArn(text: string): boolean {
  return TOPIC_ARN.test(text)
}

/**
 * Adds the topic to what the alarm does.
 * @param topicArn of the alarm's own region, the only one that CloudWatch takes.
 * @throws Error when it is not the ARN of a topic.
 */
export function notifyTopic(scope: Construct, alarm: cloudwatch.Alarm, topicArn: string): void {
  if (!Token.isUnresolved(topicArn) && !isTopicArn(topicArn)) {
    throw new Error(`alarmTopicArn is "${topicArn}"; expected arn:aws:sns:<region>:<account>:<name>`)
  }
  const action = new SnsAction(Topic.fromTopicArn(scope, 'AlarmTopic', topicArn))
  alarm.addAlarmAction(action)
  alarm.addOkAction(action)
}
