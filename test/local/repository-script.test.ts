import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runScript } from '../../local/repository-script.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-script-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function script(text: string): string {
  const path = join(folder, 'script.mjs')
  writeFileSync(path, text)
  return path
}

/** A killed process whose parent has not looked is a zombie, which has ended. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('a script that fails is named, with what it wrote to stderr', async () => {
  const path = script("console.error('no room'); process.exitCode = 3")
  await expect(runScript(path)).rejects.toThrow(new Error(`${path} failed: no room`))
})

test('arguments and variables arrive', async () => {
  const path = script('console.error(process.argv[2], process.env.NAME); process.exitCode = 1')
  await expect(runScript(path, { args: ['one'], variables: { NAME: 'value' } })).rejects.toThrow(/failed: one value$/)
})

test('an aborted script is killed with all that it started, although it blocks and ignores signals', async () => {
  const path = script(`
    import { spawn } from 'node:child_process'
    import { renameSync, writeFileSync } from 'node:fs'
    process.on('SIGTERM', () => {}).on('SIGINT', () => {})
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    writeFileSync(process.argv[2] + '.new', [process.pid, child.pid].join(' '))
    renameSync(process.argv[2] + '.new', process.argv[2])
    while (true);`)
  const pidFile = join(folder, 'pids')
  const controller = new AbortController()
  const running = runScript(path, { args: [pidFile], signal: controller.signal })
  const ended = expect(running).rejects.toMatchObject({ name: 'AbortError' })
  const pids = await vi.waitFor(() => readFileSync(pidFile, 'utf8').split(' ').map(Number), { timeout: 30_000 })
  expect(pids.map(isRunning)).toEqual([true, true])
  controller.abort()
  await ended
  await vi.waitFor(() => expect(pids.map(isRunning)).toEqual([false, false]))
})

test('nothing is started once the signal is aborted', async () => {
  const file = join(folder, 'ran')
  const path = script("import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[2], '')")
  await expect(runScript(path, { args: [file], signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  expect(() => readFileSync(file)).toThrow('ENOENT')
})
