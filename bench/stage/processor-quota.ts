/** Limits a process to the part of a processor that Lambda gives a function of a memory size, by a control group of the kernel. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the groups of version 1 and of version 2 are. */
const ROOTS = { v1: '/sys/fs/cgroup/cpu', v2: '/sys/fs/cgroup' } as const
const PREFIX = 'lambda-benchmark-'
const PERIOD_US = 20_000
/** The size from which on a function has a whole processor. @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const WHOLE_PROCESSOR_MB = 1769
/** As much as init may use. No limit at all would be slower to replace by one. */
const UNTHROTTLED_MB = 100 * WHOLE_PROCESSOR_MB

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

/** Node from its first moment in the group: to move a running process takes the kernel 5 to 15 ms, which init does not wait for. */
function launcher(folder: string, group: string): string {
  const path = join(folder, 'node')
  const script = `#!/bin/sh\necho $$ > '${join(group, 'cgroup.procs')}' && exec '${process.execPath}' "$@"\n`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

export class ProcessorQuota implements Disposable {
  /** Runs Node in the group. */
  readonly nodeBinary: string
  readonly #root: string
  readonly #group: string
  readonly #memoryMb: number
  readonly #version: keyof typeof ROOTS
  /** Of the launcher. */
  #folder = ''
  readonly #remove = (): void => {
    remove(this.#root, this.#group)
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true })
  }
  /** A signal ends a process without `exit`. */
  readonly #endBySignal = (): void => process.exit(1)

  /** @throws Error of the file system where this process may make no group */
  constructor(memoryMb: number) {
    const version =
      existsSync(join(ROOTS.v1, 'cpu.cfs_quota_us')) || !existsSync(join(ROOTS.v2, 'cpu.stat')) ? 'v1' : 'v2'
    this.#memoryMb = memoryMb
    this.#version = version
    this.#root = ROOTS[version]
    this.#group = join(this.#root, `${PREFIX}${process.pid}-${memoryMb}`)
    removeLeftovers(this.#root)
    if (version === 'v2') writeFileSync(join(this.#root, 'cgroup.subtree_control'), '+cpu')
    mkdirSync(this.#group)
    process.once('exit', this.#remove).once('SIGINT', this.#endBySignal).once('SIGTERM', this.#endBySignal)
    try {
      this.unthrottle()
      this.#folder = mkdtempSync(join(tmpdir(), PREFIX))
      this.nodeBinary = launcher(this.#folder, this.#group)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** From now on the group's processes, with all their threads, get no more than the quota. */
  throttle(): void {
    this.#limitTo(this.#memoryMb)
  }

  /** As in init. */
  unthrottle(): void {
    this.#limitTo(UNTHROTTLED_MB)
  }

  #limitTo(memoryMb: number): void {
    const files = Object.entries(limits(this.#version, memoryMb))
    for (const [file, text] of files) writeFileSync(join(this.#group, file), text)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#remove).off('SIGINT', this.#endBySignal).off('SIGTERM', this.#endBySignal)
    this.#remove()
  }
}
