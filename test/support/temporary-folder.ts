/** A folder that is the temporary folder of this process, and of all that it starts, until it is closed. */
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** npm's own: Node's compile cache, which outlives every run. */
const NOT_OURS = ['node-compile-cache']
/** A watchdog removes what a killed process left, and comes a moment after it. */
const LONGEST_WAIT_MS = 10_000
const LOOK_AGAIN_MS = 50

export class TemporaryFolder implements AsyncDisposable {
  readonly path: string
  readonly #outer: string | undefined

  private constructor(path: string, outer: string | undefined) {
    this.path = path
    this.#outer = outer
  }

  static async open(): Promise<TemporaryFolder> {
    const path = await mkdtemp(join(tmpdir(), 'cockroach-lambda-test-'))
    // As /tmp is: PostgreSQL's unprivileged user writes here too.
    await chmod(path, 0o1777)
    const outer = process.env.TMPDIR
    process.env.TMPDIR = path
    return new TemporaryFolder(path, outer)
  }

  /** Names of what was made here and not removed, sorted; none as soon as the last is gone. */
  async left(): Promise<readonly string[]> {
    const giveUpAt = performance.now() + LONGEST_WAIT_MS
    while (true) {
      const names = (await readdir(this.path)).filter((name) => !NOT_OURS.includes(name))
      if (names.length === 0 || performance.now() > giveUpAt) return names.sort()
      await sleep(LOOK_AGAIN_MS)
    }
  }

  /** Removes it with all that is in it; the temporary folder is what it was before. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#outer === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = this.#outer
    await rm(this.path, { recursive: true, force: true })
  }
}
