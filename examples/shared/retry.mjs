/** Repeats transactions that the server aborted, which CockroachDB asks of its clients. */
import { setTimeout as sleep } from 'node:timers/promises'

const SERIALIZATION_FAILURE = '40001'
/** Prisma's name for it. */
const WRITE_CONFLICT = 'P2034'

/**
 * Runs `work`, a whole transaction, again while the server aborts it. `work` must do nothing but database statements.
 * A COMMIT whose answer was lost is not repeated: it may have been carried out.
 */
export async function retrying(work, maxAttempts = 30) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt === maxAttempts || !mayBeRepeated(error)) throw error
      await sleep(Math.random() * Math.min(5 * 2 ** attempt, 500))
    }
  }
}

/** Libraries wrap the server's error: in `cause`, in Objection's `nativeError`, in Prisma's `meta`. */
function mayBeRepeated(error) {
  if (typeof error !== 'object' || error === null) return false
  const { code, originalCode, cause, nativeError, meta } = error
  if ([code, originalCode].includes(SERIALIZATION_FAILURE) || code === WRITE_CONFLICT) return true
  return [cause, nativeError, meta?.driverAdapterError].some(mayBeRepeated)
}
