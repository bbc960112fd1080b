/** Makes names below CockroachDB Cloud's domain resolve to loopback in this process, with no change to the machine. */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

const LOOPBACK = { address: '127.0.0.1', family: 4 } as const

type Callback = (error: NodeJS.ErrnoException | null, address?: string | dns.LookupAddress[], family?: number) => void

/**
 * Patches `dns.lookup` and `dns.promises.lookup`, which `net`, `tls` and `http` use too; other names resolve as before.
 *
 * @param suffixes ends of host names, each with its leading dot
 * @returns a function that removes the patch
 */
export function resolveToLoopback(suffixes?: readonly string[]): () => void {
  const restore = patchLookup(suffixes)
  // So that `import { lookup } from 'node:dns'` sees the patch as well.
  syncBuiltinESMExports()
  return () => {
    restore()
    syncBuiltinESMExports()
  }
}

/** The same without what ES modules import by name: to bring that up to date, Node loads what is behind each module's properties. */
export function patchLookup(suffixes: readonly string[] = ['.cockroachlabs.cloud']): () => void {
  const original = { lookup: dns.lookup, lookupPromise: dns.promises.lookup }
  const isOurs = (hostname: string) => suffixes.some((suffix) => hostname.toLowerCase().endsWith(suffix))

  const lookup = (hostname: string, ...rest: unknown[]): void => {
    const callback = rest.at(-1)
    if (!isOurs(hostname) || typeof callback !== 'function') {
      Reflect.apply(original.lookup, dns, [hostname, ...rest])
      return
    }
    // Not at once: callers of lookup rely on a callback in a later turn.
    process.nextTick(answer, hostname, lookupOptions(rest[0]), callback)
  }
  const lookupPromise = async (hostname: string, options?: unknown): Promise<unknown> => {
    if (!isOurs(hostname)) return await Reflect.apply(original.lookupPromise, dns.promises, [hostname, options])
    return await new Promise((resolve, reject) => {
      const { all, family } = lookupOptions(options)
      answer(hostname, { all, family }, (error, address) => {
        if (error !== null) reject(error)
        else resolve(all ? address : LOOPBACK)
      })
    })
  }

  Object.assign(lookup, { [promisify.custom]: lookupPromise })
  Object.assign(dns, { lookup })
  Object.assign(dns.promises, { lookup: lookupPromise })
  return () => {
    Object.assign(dns, { lookup: original.lookup })
    Object.assign(dns.promises, { lookup: original.lookupPromise })
  }
}

interface LookupOptions {
  readonly all: boolean
  readonly family: unknown
}

/** The options of `lookup` are absent, a family, or an object. */
function lookupOptions(options: unknown): LookupOptions {
  if (typeof options !== 'object' || options === null) return { all: false, family: options }
  return { all: 'all' in options && options.all === true, family: 'family' in options ? options.family : 0 }
}

function answer(hostname: string, { all, family }: LookupOptions, callback: Callback): void {
  if (family === 6 || family === 'IPv6') {
    const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`)
    callback(Object.assign(error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname }))
  } else if (all) callback(null, [{ ...LOOPBACK }])
  else callback(null, LOOPBACK.address, LOOPBACK.family)
}
