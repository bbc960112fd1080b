/** Makes an alarm publish to an SNS topic when it is raised, and when it is over. */
import { Reference, Token, Tokenization } from 'aws-cdk-lib'
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { CfnTopic, Topic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

/** A subscription's ARN has one part more; the ARN of a queue or a function has another service. */
const TOPIC_ARN = /^arn:aws(?:-[a-z]+)*:sns:[a-z]+(?:-[a-z]+)+-\d+:\d{12}:[\w-]{1,256}(?:\.fifo)?$/

/**
 * What is wrong with a topic's ARN, undefined when nothing is.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
 */
export function topicArnProblem(topicArn: string): string | undefined {
  if (isFifo(topicArn)) return 'is the ARN of a FIFO topic, which CloudWatch does not notify; expected a standard topic'
  if (Token.isUnresolved(topicArn) || TOPIC_ARN.test(topicArn)) return undefined
  return `is ${JSON.stringify(topicArn)}; expected arn:aws:sns:<region>:<account>:<name>`
}

/** Judged by the name, or, where the ARN is that of a topic of the same app, by that topic's own property. */
function isFifo(topicArn: string): boolean {
  if (TOPIC_ARN.test(topicArn)) return topicArn.endsWith('.fifo')
  const { firstToken } = Tokenization.reverseString(topicArn)
  if (firstToken === undefined || !Reference.isReference(firstToken)) return false
  return firstToken.target instanceof CfnTopic && firstToken.target.fifoTopic === true
}

/**
 * Makes the alarm publish to the topic when it is raised, and when it is over.
 * @param topicArn in the alarm's own region: CloudWatch accepts no other.
 * @throws Error when it is not the ARN of a standard topic.
 */
export function notifyTopic(scope: Construct, alarm: cloudwatch.Alarm, topicArn: string): void {
  const problem = topicArnProblem(topicArn)
  if (problem !== undefined) throw new Error(`alarmTopicArn ${problem}`)
  const action = new SnsAction(Topic.fromTopicArn(scope, 'AlarmTopic', topicArn))
  alarm.addAlarmAction(action)
  alarm.addOkAction(action)
}
