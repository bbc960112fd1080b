/** A zip file that depends on names and contents alone: no clock, no time zone, no umask, no order of the file system. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { type Zippable, zipSync } from 'fflate'

const UNIX = 3
/** A regular file, 0644, in the upper half of zip's external attributes. */
const REGULAR_FILE_0644 = 0o100644 << 16
/** The first day that zip knows. Local time on purpose: fflate writes local time, so it is the same in every zone. */
const MTIME = new Date(1980, 0, 1)

/** Every file below a folder, relative to it, with forward slashes, sorted by code unit. */
export function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** Zips a folder's files, without entries for folders. The same input gives the same bytes on every machine. */
export function zipFolder(folder: string): Uint8Array {
  const entries: Zippable = {}
  for (const path of listFiles(folder)) entries[path] = readFileSync(join(folder, path))
  return zipSync(entries, { level: 9, mtime: MTIME, os: UNIX, attrs: REGULAR_FILE_0644 })
}
