/** A port that does not answer: its process is stopped, and its queue of connections is full. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const LISTEN = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
  process.stdout.write(String(this.address().port)) })`
/** More than the queue holds. */
const FILLING = 8

export interface DeafServer extends AsyncDisposable {
  readonly port: number
}

export async function startDeafServer(): Promise<DeafServer> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed] = await once(child.stdout, 'data')
  const port = Number(printed)
  child.kill('SIGSTOP')
  const sockets: Socket[] = Array.from({ length: FILLING }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  )
  if (sockets[0] !== undefined) await once(sockets[0], 'connect')
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
