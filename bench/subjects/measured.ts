/** What every benchmarked handler does besides its work: reports the time of the row, repeats, and measures the process. */

/** What the benchmark asks of a handler. */
export interface BenchEvent {
  /** Whole invocations of the handler to run, one after the other, without the runtime in between. @default 1 */
  readonly times?: number
  /** Collect garbage first, so that the heap contains only what is used. */
  readonly collects?: boolean
}

/** What was loaded for the function: files, their bytes, and modules of Node's own. */
export interface LoadedModules {
  readonly modules: number
  readonly bytes: number
  readonly builtins: number
}

/** Milliseconds and bytes. */
export interface BenchAnswer {
  /** Of the process, when the runtime began to load the function's module. */
  readonly loadingBeganMs: number
  /** From there to now, when the last row is there. */
  readonly sinceLoadingMs: number
  /** Processor time of all the process' threads, over the same span. */
  readonly processorMs: number
  /** Of this invocation alone. */
  readonly handlerMs: number
  readonly rssBytes: number
  readonly heapBytes: number
  /** When they are counted, which takes time. */
  readonly loaded?: LoadedModules
}

/** The part of Lambda's context object that the subjects use. */
export interface BenchContext {
  getRemainingTimeInMillis(): number
}

/** Set by the preload. */
declare global {
  var loadingBeganMs: number | undefined
  var processorBefore: NodeJS.CpuUsage | undefined
  var countModules: (() => LoadedModules) | undefined
}

/** A handler that measures `invoke`, which runs `select 1`. */
export function measured(invoke: (event: BenchEvent, context: BenchContext) => Promise<unknown>) {
  return async (event: BenchEvent, context: BenchContext): Promise<BenchAnswer> => {
    const startedMs = process.uptime() * 1000
    for (let left = event.times ?? 1; left > 0; left -= 1) await invoke(event, context)
    const rowMs = process.uptime() * 1000
    const { user, system } = process.cpuUsage(globalThis.processorBefore)
    const rssBytes = process.memoryUsage.rss()
    if (event.collects) globalThis.gc?.()
    const loadingBeganMs = globalThis.loadingBeganMs ?? Number.NaN
    return {
      loadingBeganMs,
      sinceLoadingMs: rowMs - loadingBeganMs,
      processorMs: (user + system) / 1000,
      handlerMs: rowMs - startedMs,
      rssBytes,
      heapBytes: process.memoryUsage().heapUsed,
      ...(globalThis.countModules !== undefined && { loaded: globalThis.countModules() }),
    }
  }
}
