/** The shape of `results.json`. */

import type { SubjectName } from '../stage/subjects.ts'
import type { LongTextFigures } from './long-texts.ts'
import type { Spread } from './statistics.ts'

/** Cold starts of one subject at one round-trip time; times in milliseconds. */
export interface ColdFigures {
  readonly subject: SubjectName
  readonly rttMs: number
  /** The runtime's own start, before it begins to load the function. */
  readonly bareRuntimeMs: Spread
  /** From there to the first row. */
  readonly firstRowMs: Spread
  readonly processorMs: Spread
  /** Of the processor time. */
  readonly processorRatioToFloor: number
  readonly ratioToNaive: number
  readonly ratioToFloor: number
}

/** Cold starts of one subject with one memory size; times in milliseconds. */
export interface MemoryFigures {
  readonly subject: SubjectName
  readonly memoryMb: number
  readonly firstRowMs: Spread
  /** Of the first invocation's handler alone. */
  readonly handlerMs: Spread
  readonly processorMs: Spread
  /** To `pg` with the AWS SDK, bundled. */
  readonly ratioToBundled: number
  readonly ratioToFloor: number
}

export interface MemorySection {
  readonly figures: readonly MemoryFigures[]
  /** Why there are none: no control group can be made. */
  readonly unavailable?: string
}

/** What does not depend on the machine's speed, and the memory, of one cold start. */
export interface LoadFigures {
  readonly subject: SubjectName
  /** Files loaded for the function, and their bytes. */
  readonly modules: number
  readonly codeBytes: number
  /** Modules of Node's own that were loaded on top of the runtime's. */
  readonly builtins: number
  readonly secretRequests: number
  readonly connections: number
  /** Writes of the client that reached the database's side, and bytes on the wire. */
  readonly packets: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly rssMb: number
  readonly heapMb: number
}

/** Loading a module in a process of its own. */
export interface ImportFigures {
  readonly title: string
  readonly ms: Spread
  readonly processorMs: Spread
  readonly ratio: number
  /** In millions, counted by valgrind's callgrind; null where it was not asked for or is not installed. */
  readonly instructionsM: number | null
}

/** Per statement, in microseconds. */
export interface WarmFigures {
  readonly query: Spread
  readonly clientQuery: Spread
  readonly ratio: number
  readonly processorQuery: Spread
  readonly processorClientQuery: Spread
  readonly processorAdded: number
  /** Packets of 100 statements. */
  readonly packetsQuery: number
  readonly packetsClientQuery: number
}

/** Of an environment after so many invocations. */
export interface GrowthFigures {
  readonly subject: SubjectName
  readonly invocations: number
  /** Mean time of an invocation since the line before. */
  readonly invocationUs: number
  readonly rssMb: number
  readonly heapMb: number
}

/** Environments that are alive side by side. */
export interface FleetFigures {
  readonly environments: number
  /** TCP connections that the database's side saw. */
  readonly connections: number
  readonly firstRowMs: Spread
  readonly ratioToOne: number
}

/** What the product promises to reach, and whether a run reached it. */
export interface Goal {
  readonly goal: string
  readonly measured: string
  readonly isMet: boolean
}

export interface Results {
  readonly machine: {
    readonly at: string
    readonly node: string
    readonly platform: string
    readonly processor: string
    readonly processors: number
    /** Of the last minute, when the run began and ended. */
    readonly loadBefore: number
    readonly loadAfter: number
  }
  readonly isQuick: boolean
  readonly rounds: number
  /** Absent in the results of runs from before, when it was HTTP. */
  readonly secretProtocol?: 'https'
  readonly layer: { readonly zippedBytes: number; readonly unpackedBytes: number }
  /** What a round trip took, by what it was set to: a `select 1` on a bare warm client, in milliseconds. */
  readonly roundTrips: readonly { readonly rttMs: number; readonly measuredMs: number }[]
  /** Absent in the results of runs from before it was measured. */
  readonly memory?: MemorySection
  readonly cold: readonly ColdFigures[]
  readonly load: readonly LoadFigures[]
  readonly imports: readonly ImportFigures[]
  /** With 70 ms round trips and a secret that takes 150 ms. */
  readonly overlap: { readonly lateMs: Spread; readonly earlyMs: Spread; readonly savedMs: number }
  readonly warm: WarmFigures
  readonly growth: readonly GrowthFigures[]
  readonly fleet: readonly FleetFigures[]
  /** Absent in the results of runs from before it was measured. */
  readonly longTexts?: readonly LongTextFigures[]
  readonly goals: readonly Goal[]
}
