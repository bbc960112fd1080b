/** Closes the sessions when Lambda ends the execution environment: SIGTERM comes only to those who registered for it. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Diagnostics } from '../base/diagnostics.ts'
import { processWide } from '../base/process-wide.ts'
import type { Settings } from '../settings/settings.ts'
import type { ExtensionWorkerData } from './extension-worker.ts'

/** The worker's code, inserted by the build: a function that is bundled into one file has no second file beside it. */
declare const EXTENSION_WORKER: string | undefined

/** Registering takes milliseconds; init must not hang on it. */
const REGISTRATION_TIMEOUT_MS = 1000

/** What can become of a registration, by the worker's number for it; undefined is success. */
const FAILURES: Readonly<Record<number, string | undefined>> = {
  0: `Lambda's Runtime API did not answer within ${REGISTRATION_TIMEOUT_MS} ms`,
  1: undefined,
  2: "Lambda's Runtime API refused it; it does so after the init phase: use withDatabase(), or call getPool() while the function's module loads",
  3: "Lambda's Runtime API could not be reached",
}

/** Of a process, which registers once, whatever copy of this package asks. */
const shutdown = processWide('shutdown.1', () => ({ hasRegistered: false, closers: new Set<() => void>() }))

/**
 * Registers as an internal extension, before the runtime asks for its first invocation: afterwards it is refused. The
 * thread is blocked meanwhile, since a CommonJS function has no way to wait.
 *
 * @returns what went wrong, if anything did
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 */
function register(runtimeApi: string): string | undefined {
  const state = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const workerData: ExtensionWorkerData = { runtimeApi, state }
  // Without the function's own preloads, which instrument and take time, and without its secrets.
  const options = { workerData, env: {}, execArgv: [] }
  const worker =
    typeof EXTENSION_WORKER === 'undefined'
      ? new Worker(join(import.meta.dirname, 'extension-worker.ts'), options)
      : new Worker(EXTENSION_WORKER, { ...options, eval: true })
  worker.on('error', () => undefined)
  worker.unref()
  const cell = new Int32Array(state)
  Atomics.wait(cell, 0, 0, REGISTRATION_TIMEOUT_MS)
  return FAILURES[Atomics.load(cell, 0)]
}

function listen(diagnostics: Diagnostics, runtimeApi: string): void {
  shutdown.hasRegistered = true
  // Also when registering fails: Lambda sends the signal where another extension runs. Nothing after the clean-up:
  // process.exit would hang under the runtime's native client.
  process.on('SIGTERM', () => {
    for (const close of shutdown.closers) close()
  })
  const failure = register(runtimeApi)
  if (failure === undefined) return
  diagnostics.warn(
    'graceful-shutdown',
    `registering for shutdown failed, sessions will be left to the server: ${failure}`,
  )
}

/**
 * Has `close` called on SIGTERM, where the settings ask for it and Lambda sends it.
 *
 * @returns what undoes that, for what has been closed by then
 */
export function closeOnShutdown(
  { gracefulShutdown, platform }: Settings,
  diagnostics: Diagnostics,
  close: () => void,
): () => void {
  const { runtimeApi, isManagedInstances } = platform
  if (!gracefulShutdown || runtimeApi === undefined || isManagedInstances) return () => undefined
  const { closers } = shutdown
  closers.add(close)
  if (!shutdown.hasRegistered) listen(diagnostics, runtimeApi)
  return () => void closers.delete(close)
}
