/** One row of the fault suite: a fault, how it is injected, and what is promised. */
import type { Stage } from './stage.ts'
import type { StageSettings } from './stage-settings.ts'

export interface FaultRow {
  /** As in docs/faults.md: 1 to 22, with a letter where a row has variants. */
  readonly id: string
  readonly fault: string
  /** The promise: what the caller sees. */
  readonly caller: string
  /** The promise: what the database holds. */
  readonly database: string
  /** Injected 5 instead of 20 times by `npm run faults`. */
  readonly isSlow?: boolean
  /** Starts so many processes at once that it needs all processors. */
  readonly needsAllProcessors?: boolean
  /** Injected at most this often, where one injection is many. */
  readonly maxRuns?: number
  /** How the function and the stand-ins are set up. */
  readonly settings?: StageSettings
  /** False where a peer cannot be put into this situation at all. @default true */
  readonly hasPeers?: boolean
  /** Injects the fault once and makes the calls that meet it. */
  inject(stage: Stage): Promise<void>
  /** What the tally must show beyond the promises of every row; an empty list when it is kept. */
  brokenPromises(stage: Stage): string[] | Promise<string[]>
}
