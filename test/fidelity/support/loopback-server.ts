/** An outside part that is a server, on a free loopback port; it and its processes end with the test. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import getPort from 'get-port'

const POLL_MS = 100

export interface LoopbackServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** What it has printed so far. */
  output(): string
}

export interface LoopbackServerOptions {
  /** The program, and its arguments. */
  command(port: number): readonly [string, ...string[]]
  environment?(port: number): NodeJS.ProcessEnv
  /** Answers below 500 once it is up. */
  readonly readyPath: string
}

/**
 * Resolves when the server answers.
 * @throws Error with the server's output, when it ends before.
 */
export async function startLoopbackServer(options: LoopbackServerOptions): Promise<LoopbackServer> {
  const port = await getPort()
  const [program, ...args] = options.command(port)
  // A process group of its own, so that the workers that it starts go with it.
  const child = spawn(program, args, { env: { ...process.env, ...options.environment?.(port) }, detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close')
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, 'SIGKILL')
    }
    await ended
  }
  while (!(await answers(`${url}${options.readyPath}`))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} ended: ${output}`)
    await sleep(POLL_MS)
  }
  return { url, port, output: () => output, [Symbol.asyncDispose]: stop }
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ status }) => status < 500,
    () => false,
  )
}
