/** Writes what the diagnostics channels report as CloudWatch metrics: one line in the embedded metric format an invocation. */
import { subscribe } from 'node:diagnostics_channel'
import type { DiagnosticMessages, DiagnosticName } from '../base/diagnostics.ts'
import { CONNECT_TIME, COUNTS, METRIC_DIMENSION, METRIC_NAMESPACE } from '../base/metric-names.ts'
import { processWide } from '../base/process-wide.ts'

/** Outside an invocation of `withDatabase()`, when the line is written after the first thing that it counts, in milliseconds. */
const NO_INVOCATION_MS = 1000
/** Of one metric in one line, as CloudWatch has it. */
const MOST_VALUES = 100

type CountedChannel = keyof typeof COUNTS
const COUNTED = Object.keys(COUNTS) as CountedChannel[]

function listen<Name extends DiagnosticName>(name: Name, listener: (message: DiagnosticMessages[Name]) => void): void {
  // Stated, not checked: nothing else publishes there.
  subscribe(`cockroach-lambda:${name}`, (message) => listener(message as DiagnosticMessages[Name]))
}

class Metrics {
  readonly #functionName: string | undefined
  #values: Record<string, number | number[]> = {}
  #underWay = 0
  #timer: NodeJS.Timeout | undefined

  constructor(functionName: string | undefined) {
    this.#functionName = functionName
    for (const channel of COUNTED) {
      const name = COUNTS[channel]
      listen(channel, () => this.#set(name, Number(this.#values[name] ?? 0) + 1))
    }
    listen('connect', ({ ms }) => {
      const times = [this.#values[CONNECT_TIME] ?? [], ms].flat()
      this.#set(CONNECT_TIME, times.slice(-MOST_VALUES))
    })
    listen('invocation', ({ hasEnded }) => {
      // The first one may have begun before anybody listened.
      this.#underWay = Math.max(0, this.#underWay + (hasEnded ? -1 : 1))
      clearTimeout(this.#timer)
      this.#timer = undefined
      if (hasEnded) this.#write()
    })
  }

  #set(name: string, value: number | number[]): void {
    this.#values[name] = value
    if (this.#underWay === 0) this.#timer ??= setTimeout(() => this.#write(), NO_INVOCATION_MS).unref()
  }

  /** Before the handler's answer, and complete when this returns, as stdout is a pipe: a freeze afterwards loses nothing. */
  #write(): void {
    this.#timer = undefined
    const values = this.#values
    const names = Object.keys(values)
    if (names.length === 0) return
    this.#values = {}
    const dimension = this.#functionName === undefined ? {} : { [METRIC_DIMENSION]: this.#functionName }
    const directive = {
      Namespace: METRIC_NAMESPACE,
      Dimensions: [Object.keys(dimension)],
      Metrics: names.map((Name) => ({ Name, Unit: Name === CONNECT_TIME ? 'Milliseconds' : 'Count' })),
    }
    const line = { _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] }, ...dimension, ...values }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
}

/**
 * Begins to write them, once for a process.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function startMetrics(functionName: string | undefined): void {
  processWide('metrics.1', () => new Metrics(functionName))
}
