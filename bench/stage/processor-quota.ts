/** Limits a process to the part of a processor that Lambda gives a function of a memory size, by a control group of the kernel. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the groups of version 1 and of version 2 are. */
const ROOTS = { v1: '/sys/fs/cgroup/cpu', v2: '/sys/fs/cgroup' } as const
const PREFIX = 'lambda-benchmark-'
const PERIOD_US = 20_000
/** The size from which on a function has a whole processor. @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const WHOLE_PROCESSOR_MB = 1769

/** Processor time in each period, in microseconds. */
export function quotaUs(memoryMb: number): number {
  return Math.round((memoryMb / WHOLE_PROCESSOR_MB) * PERIOD_US)
}

/** The file that sets the limit, and its text. */
function limits(version: keyof typeof ROOTS, memoryMb: number): Readonly<Record<string, string>> {
  const quota = String(quotaUs(memoryMb))
  if (version === 'v2') return { 'cpu.max': `${quota} ${PERIOD_US}` }
  return { 'cpu.cfs_period_us': String(PERIOD_US), 'cpu.cfs_quota_us': quota }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`)
}

/** Processes that are still in the group move to the root's, since a group with processes cannot be removed. */
function remove(root: string, group: string): void {
  if (!existsSync(group)) return
  for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
    try {
      writeFileSync(join(root, 'cgroup.procs'), pid)
    } catch {
      // It has ended meanwhile.
    }
  }
  rmdirSync(group)
}

/** Groups of a benchmark that was killed. */
function removeLeftovers(root: string): void {
  for (const name of readdirSync(root).filter((entry) => entry.startsWith(PREFIX))) {
    const [pid] = name.slice(PREFIX.length).split('-')
    if (!isAlive(Number(pid))) remove(root, join(root, name))
  }
}

export class ProcessorQuota implements Disposable {
  readonly #root: string
  readonly #group: string
  readonly #removeAtExit = (): void => remove(this.#root, this.#group)
  /** A signal ends a process without `exit`. */
  readonly #endBySignal = (): void => process.exit(1)

  /** @throws Error of the file system where this process may make no group */
  constructor(memoryMb: number) {
    const version =
      existsSync(join(ROOTS.v1, 'cpu.cfs_quota_us')) || !existsSync(join(ROOTS.v2, 'cpu.stat')) ? 'v1' : 'v2'
    this.#root = ROOTS[version]
    this.#group = join(this.#root, `${PREFIX}${process.pid}-${memoryMb}`)
    removeLeftovers(this.#root)
    if (version === 'v2') writeFileSync(join(this.#root, 'cgroup.subtree_control'), '+cpu')
    mkdirSync(this.#group)
    process.once('exit', this.#removeAtExit).once('SIGINT', this.#endBySignal).once('SIGTERM', this.#endBySignal)
    try {
      for (const [file, text] of Object.entries(limits(version, memoryMb))) writeFileSync(join(this.#group, file), text)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** From now on the process, with all its threads, gets no more than the quota. */
  add(pid: number): void {
    writeFileSync(join(this.#group, 'cgroup.procs'), String(pid))
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#removeAtExit).off('SIGINT', this.#endBySignal).off('SIGTERM', this.#endBySignal)
    remove(this.#root, this.#group)
  }
}
