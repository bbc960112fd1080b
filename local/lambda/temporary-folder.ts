/** Temporary folders that go when they are removed, and at the latest when this process exits. */
import { rmSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = new Set<string>()

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** Makes a folder; the path is free of symbolic links, so that it compares equal to what Node's loader reports. */
export async function makeTemporaryFolder(): Promise<string> {
  if (folders.size === 0) process.once('exit', removeAll)
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'cockroach-lambda-runner-'))
  folders.add(folder)
  return folder
}

export async function removeTemporaryFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  folders.delete(folder)
  if (folders.size === 0) process.off('exit', removeAll)
}
