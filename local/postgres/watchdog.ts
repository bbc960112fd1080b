/** Ends a PostgreSQL server and removes its folder when the process that started it is gone, SIGKILL included. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { RunAs } from './binaries.ts'

/*
 * A pipe to a shell works on every Unix: the system closes it, however its writer ends. After a line on the pipe the
 * shell ends; the end of the pipe without a line means that this process has ended.
 */
const SCRIPT = `read -r word && exit 0
kill -QUIT "$(head -n 1 "$0/data/postmaster.pid")"
while kill -0 "$(head -n 1 "$0/data/postmaster.pid")"; do sleep 0.1; done
rm -rf "$0"`

/** Watches over `<folder>/data/postmaster.pid`. The function that is returned stops the watchdog. */
export function watchOver(folder: string, runAs: RunAs): () => Promise<void> {
  const watchdog = spawn('/bin/sh', ['-c', SCRIPT, folder], {
    ...runAs,
    cwd: '/',
    // A session of its own, so that Ctrl-C in a terminal does not end the watchdog before its job begins.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const exited = once(watchdog, 'exit')
  watchdog.unref()
  return async () => {
    watchdog.ref()
    watchdog.stdin.end('done\n')
    await exited
  }
}
