/** Closes the sessions when Lambda ends the execution environment: SIGTERM comes only to those who registered for it. */
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Diagnostics } from './diagnostics.ts'
import type { ExtensionWorkerData } from './extension-worker.ts'
import type { Settings } from './settings.ts'

/** Registering takes milliseconds; init must not hang on it. */
const REGISTRATION_TIMEOUT_MS = 1000
const REGISTERED = 1

let isRegistered: boolean | undefined
const closers = new Set<() => void>()

/**
 * Registers as an internal extension, before the runtime asks for its first invocation: afterwards it is refused. The
 * thread is blocked meanwhile, since a CommonJS function has no way to wait.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 */
function register(runtimeApi: string, moduleFile: string): boolean {
  const state = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const workerFile = join(moduleFile, '..', `extension-worker${extname(moduleFile)}`)
  const workerData: ExtensionWorkerData = { runtimeApi, state }
  const worker = new Worker(workerFile, { workerData, env: {} })
  worker.on('error', () => undefined)
  worker.unref()
  const cell = new Int32Array(state)
  Atomics.wait(cell, 0, 0, REGISTRATION_TIMEOUT_MS)
  return Atomics.load(cell, 0) === REGISTERED
}

function closeAll(): void {
  for (const close of closers) close()
}

/** Has `close` called on SIGTERM, where the settings ask for it and Lambda sends it. */
export function closeOnShutdown(
  { gracefulShutdown, surroundings }: Settings,
  diagnostics: Diagnostics,
  close: () => void,
): void {
  const { runtimeApi, isManagedInstances } = surroundings
  if (!gracefulShutdown || runtimeApi === undefined || isManagedInstances) return
  isRegistered ??= register(runtimeApi, import.meta.filename)
  if (!isRegistered) {
    diagnostics.warn(
      'graceful-shutdown',
      'registering for shutdown failed: use withDatabase() or getPool() while the function module loads',
    )
    return
  }
  // Nothing after the clean-up: process.exit would hang under the runtime's native client.
  if (closers.size === 0) process.on('SIGTERM', closeAll)
  closers.add(close)
}
