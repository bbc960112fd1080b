/** Temporary folders that are removed on request, and at the latest when this process ends. */
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unwatch, watch } from './watchdog.ts'

/** Makes a folder; the path is free of symbolic links, so that it compares equal to what Node's loader reports. */
export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'cockroach-lambda-runner-'))
  watch(folder)
  return folder
}

export async function removeTemporaryFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  unwatch(folder)
}
