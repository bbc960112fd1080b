/** A zip file that depends on names and contents alone: no clock, no time zone, no umask, no order of the file system, no zlib. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { deflateAsync } from '@gfx/zopfli'
import { Zip, ZipPassThrough } from 'fflate'

const DEFLATED = 8
const UNIX = 3
/** A regular file, 0644, in the upper half of zip's external attributes. */
const REGULAR_FILE_0644 = 0o100644 << 16
/** The first day that zip can state. Local time on purpose: fflate writes local time, so it is the same in every zone. */
const MTIME = new Date(1980, 0, 1)

/** Zopfli's deflate gives fewer bytes than fflate's, and the same on every processor, unlike zlib's. */
class ZopfliEntry extends ZipPassThrough {
  readonly #deflated: Uint8Array<ArrayBuffer>

  constructor(path: string, deflated: Uint8Array<ArrayBuffer>) {
    super(path)
    this.compression = DEFLATED
    this.os = UNIX
    this.attrs = REGULAR_FILE_0644
    this.mtime = MTIME
    this.#deflated = deflated
  }

  /** fflate has taken size and checksum of the contents by now; the zip contains the deflated form. */
  protected override process(_contents: Uint8Array, isFinal: boolean): void {
    this.ondata(null, this.#deflated, isFinal)
  }
}

/** Every file below a folder, relative to it, with forward slashes, sorted by code unit. */
export function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** Zips a folder's files, without entries for folders. The same input gives the same bytes on every machine. */
export async function zipFolder(folder: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error
    chunks.push(chunk)
  })
  for (const path of listFiles(folder)) {
    const contents = readFileSync(join(folder, path))
    const entry = new ZopfliEntry(path, new Uint8Array(await deflateAsync(contents, {})))
    zip.add(entry)
    entry.push(contents, true)
  }
  zip.end()
  return Buffer.concat(chunks)
}
