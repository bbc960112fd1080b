/** Makes the functions of the fault suite deployable: each subject is bundled as its documentation says. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

export const SUBJECTS = ['cockroach-lambda', 'pg.Pool', 'serverless-postgres'] as const
export type SubjectName = (typeof SUBJECTS)[number]

const SOURCES: Readonly<Record<SubjectName, string>> = {
  'cockroach-lambda': 'ours.ts',
  'pg.Pool': 'plain-pool.ts',
  'serverless-postgres': 'serverless-postgres.ts',
}

export interface SubjectCode extends AsyncDisposable {
  /** The folder of the function's code, as `/var/task`. */
  folderOf(subject: SubjectName): string
}

/** Bundles all subjects; ours leaves the package out, for it comes with the layer. */
export async function bundleSubjects(): Promise<SubjectCode> {
  const folder = await mkdtemp(join(tmpdir(), 'fault-subjects-'))
  const bundle = (subject: SubjectName, format: 'esm' | 'cjs', name: string, source = SOURCES[subject]) =>
    build({
      entryPoints: [join(import.meta.dirname, 'subjects', source)],
      outfile: join(folder, subject, name),
      bundle: true,
      platform: 'node',
      target: 'node22',
      format,
      external: ['cockroach-lambda', 'pg-native'],
      logLevel: 'error',
    })
  // The peers are CommonJS packages. Ours is there twice, `index.mjs` is what a function uses, `commonjs.cjs` the other
  // entry; and with what waits during init.
  await Promise.all([
    bundle('cockroach-lambda', 'esm', 'index.mjs'),
    bundle('cockroach-lambda', 'cjs', 'commonjs.cjs'),
    bundle('cockroach-lambda', 'esm', 'ready.mjs', 'ours-ready.ts'),
    bundle('cockroach-lambda', 'cjs', 'readyAsThen.cjs', 'ours-ready-as-then.ts'),
    bundle('cockroach-lambda', 'esm', 'snapshot.mjs', 'ours-snapshot.ts'),
    bundle('pg.Pool', 'cjs', 'index.cjs'),
    bundle('serverless-postgres', 'cjs', 'index.cjs'),
  ])
  return {
    folderOf: (subject) => join(folder, subject),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
