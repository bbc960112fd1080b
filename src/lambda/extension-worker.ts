/** A worker thread that registers this process as an internal extension and keeps the registration open. */
import { request } from 'node:http'
import { workerData } from 'node:worker_threads'

/** What the main thread passes to the worker; it waits until `state` is not 0. */
export interface ExtensionWorkerData {
  /** Host and port of the Runtime API. */
  readonly runtimeApi: string
  /** One Int32: 0 under way, 1 registered, 2 refused, 3 unreachable. */
  readonly state: SharedArrayBuffer
}

const EXTENSION_NAME = 'cockroach-lambda'

const { runtimeApi, state } = workerData as ExtensionWorkerData

function tell(outcome: 1 | 2 | 3): void {
  const cell = new Int32Array(state)
  Atomics.store(cell, 0, outcome)
  Atomics.notify(cell, 0)
}

/** The Runtime API never answers an extension without events; while the request is open, the extension counts as running. */
function holdNext(identifier: string): void {
  request(`http://${runtimeApi}/2020-01-01/extension/event/next`, {
    agent: false,
    headers: { 'Lambda-Extension-Identifier': identifier },
  })
    .on('error', () => undefined)
    .end()
}

const registration = request(
  `http://${runtimeApi}/2020-01-01/extension/register`,
  {
    method: 'POST',
    agent: false,
    headers: { 'Lambda-Extension-Name': EXTENSION_NAME, 'Content-Type': 'application/json' },
  },
  (response) => {
    response.resume()
    const identifier = response.headers['lambda-extension-identifier']
    if (response.statusCode === 200 && typeof identifier === 'string') {
      holdNext(identifier)
      tell(1)
    } else tell(2)
  },
)
registration.on('error', () => tell(3))
registration.end(JSON.stringify({ events: [] }))
