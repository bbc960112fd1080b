/** A process of its own for what a server may do to one: it must live, whatever it is sent, and never be busy for long. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Answer, Order } from './survivor.ts'

const ANSWER_LIMIT_MS = 30_000

export class SurvivorProcess {
  readonly #child: ChildProcess
  #stderr = ''
  /** The last answer: a test that was interrupted does not wait for it. */
  #answered: Promise<unknown> = Promise.resolve()

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.on('data', (text) => {
      this.#stderr += text
    })
  }

  static async start(): Promise<SurvivorProcess> {
    const program = new URL('./survivor.ts', import.meta.url)
    const survivor = new SurvivorProcess(fork(program, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }))
    await once(survivor.#child, 'message')
    return survivor
  }

  /** @throws Error when the process ended over it, or did not answer in time. */
  async carryOut(order: Order): Promise<Answer> {
    const isOver = new AbortController()
    const signal = AbortSignal.any([isOver.signal, AbortSignal.timeout(ANSWER_LIMIT_MS)])
    this.#child.send(order)
    const answered = once(this.#child, 'message', { signal })
    this.#answered = answered.catch(() => undefined)
    const exited = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`the process ended with exit code ${code}: ${this.#stderr}`)
    })
    exited.catch(() => undefined)
    try {
      const [answer] = await Promise.race([answered, exited])
      return answer
    } finally {
      isOver.abort()
    }
  }

  /** Its exit code, when nothing is left to do, and what it printed. */
  async end(): Promise<readonly [number | null, string]> {
    await this.#answered
    if (this.#child.connected) this.#child.disconnect()
    if (this.#child.exitCode === null) await once(this.#child, 'exit', { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) })
    return [this.#child.exitCode, this.#stderr]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
  }
}
