/** Ends processes and removes folders of this process when it ends, SIGKILL included. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'

/*
 * A pipe to a shell, since the system closes it, however its writer ends; a process that is stopped by SIGSTOP would
 * otherwise stay for ever. Lines begin with + or -; then comes a process id, or a folder, which begins with a slash.
 */
const SCRIPT = `NL='
'
IFS=$NL
watched=$NL
while read -r line; do
  word=\${line#?}
  case $line in
    +*) watched="$watched$word$NL" ;;
    -*) watched="\${watched%%"$NL$word$NL"*}$NL\${watched#*"$NL$word$NL"}" ;;
  esac
done
for word in $watched; do case $word in /*) ;; *) kill -KILL "$word" ;; esac; done
for word in $watched; do case $word in /*) rm -rf "$word" ;; esac; done`

const watched = new Set<string>()
let shell: ChildProcessByStdio<Writable, null, null> | undefined

/** Adds a process id or a folder. */
export function watch(name: number | string): void {
  watched.add(String(name))
  shell ??= startShell()
  shell.stdin.write(`+${name}\n`)
}

/** Removes it from the list: the process has ended, or the folder is removed. */
export function unwatch(name: number | string): void {
  if (!watched.delete(String(name))) return
  shell?.stdin.write(`-${name}\n`)
  if (watched.size > 0) return
  shell?.stdin.end()
  shell = undefined
}

function startShell(): ChildProcessByStdio<Writable, null, null> {
  // A session of its own, so that Ctrl-C in a terminal does not end it before its job begins.
  const child = spawn('/bin/sh', ['-c', SCRIPT], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  return child
}
