/** Invokes the reader's function cold, warm and after a freeze, and collects what it did. */
import type { BuiltLayer } from '../built-layer.ts'
import type { OwnFunction, OwnInvocation } from './own-function.ts'

export interface OwnReport {
  readonly ok: boolean
  readonly layer: BuiltLayer
  readonly invocations: readonly OwnInvocation[]
}

/**
 * Three invocations with one event; after one that fails there is no next.
 *
 * @param signal when aborted, no further invocation is made, and the promise rejects
 */
export async function runOwnFunction(
  layer: BuiltLayer,
  own: OwnFunction,
  event: unknown,
  signal: AbortSignal,
): Promise<OwnReport> {
  const invocations: OwnInvocation[] = []
  for (const kind of ['cold', 'warm', 'thawed']) {
    signal.throwIfAborted()
    if (kind === 'thawed') await own.freeze()
    invocations.push(await own.invoke(event))
    if (invocations.at(-1)?.ok === false) break
  }
  signal.throwIfAborted()
  return { ok: invocations.every(({ ok }) => ok), layer, invocations }
}
