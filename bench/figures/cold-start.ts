/** One cold start: from the moment the runtime begins to load the function's module to the first row. */
import type { InvocationResult } from '../../local/lambda/invocation-result.ts'
import type { ProcessorQuota } from '../stage/processor-quota.ts'
import type { Stage } from '../stage/stage.ts'
import type { SubjectName } from '../stage/subjects.ts'
import type { BenchAnswer, BenchEvent } from '../subjects/measured.ts'

/** Times in milliseconds. */
export interface ColdStart extends BenchAnswer {
  /** Seen at the stand-ins. */
  readonly connections: number
  readonly packets: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly secretRequests: number
}

/** @throws Error with what the function said, if it failed */
export function answerOf({ ok, payload, error }: InvocationResult): BenchAnswer {
  if (!ok) throw new Error(`${error?.errorType}: ${error?.errorMessage}`)
  // Sound: `measured()` makes every payload.
  return payload as BenchAnswer
}

/** A new environment, its first invocation, its end. */
export async function coldStart(
  stage: Stage,
  subject: SubjectName,
  options: { countsModules?: true; collects?: true; memoryMb?: number; quota?: ProcessorQuota } = {},
): Promise<ColdStart> {
  stage.cloud.resetCounts()
  const requestsBefore = stage.secretsManager.requests.length
  const { quota, ...others } = options
  quota?.unthrottle()
  const nodeBinary = quota?.nodeBinary
  await using environment = await stage.startEnvironment(subject, { ...others, ...(nodeBinary && { nodeBinary }) })
  // The runtime has just asked for its first invocation: init has ended.
  quota?.throttle()
  const event: BenchEvent = options.collects === undefined ? {} : { collects: true }
  const answer = answerOf(await environment.invoke(event))
  const { tcp: connections, clientPackets: packets, bytesIn: bytesSent, bytesOut: bytesReceived } = stage.cloud.counts
  const secretRequests = stage.secretsManager.requests.length - requestsBefore
  return { ...answer, connections, packets, bytesSent, bytesReceived, secretRequests }
}
