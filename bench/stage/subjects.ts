/** Makes the compared functions deployable: each bundled as the documentation of its packages says. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { copyPackages } from '../../cdk/package-closure.ts'

const REPOSITORY = join(import.meta.dirname, '../..')

/** What a subject is made from. */
interface SubjectSource {
  readonly title: string
  /** Below `subjects/`. */
  readonly file: string
  readonly format: 'cjs' | 'esm'
  /** Only its own file is bundled; its packages are beside it. */
  readonly isUnbundled?: true
  readonly usesLayer?: true
  /** The module awaits its connection at its top level, where AWS advises to open connections. */
  readonly waitsInInit?: true
  /** Server, user and database are in the environment, as the CDK construct puts them there. */
  readonly knowsServer?: true
}

/** An ES module that awaits its connection at its top level. */
function waiting(title: string, file: string) {
  return { title: `${title}, waits in init`, file, format: 'esm', waitsInInit: true } as const
}

const SOURCES = {
  naive: { title: '`pg` + AWS SDK, unbundled', file: 'naive', format: 'cjs', isUnbundled: true },
  'naive-bundled': { title: '`pg` + AWS SDK, bundled', file: 'naive', format: 'cjs' },
  powertools: { title: 'Powertools `parameters` + `pg`', file: 'powertools', format: 'cjs' },
  middy: { title: 'middy `secrets-manager` + `pg`', file: 'middy', format: 'cjs' },
  'serverless-postgres': { title: '`serverless-postgres` + AWS SDK', file: 'serverless-postgres', format: 'cjs' },
  'postgres-js': { title: '`postgres` + AWS SDK', file: 'postgres-js', format: 'cjs' },
  ours: { title: '**cockroach-lambda**, ESM', file: 'ours', format: 'esm', usesLayer: true },
  'ours-cjs': { title: '**cockroach-lambda**, CommonJS', file: 'ours', format: 'cjs', usesLayer: true },
  'ours-early': {
    title: '**cockroach-lambda**, ESM, server in the environment',
    file: 'ours',
    format: 'esm',
    usesLayer: true,
    knowsServer: true,
  },
  'ours-early-cjs': {
    title: '**cockroach-lambda**, CommonJS, server in the environment',
    file: 'ours',
    format: 'cjs',
    usesLayer: true,
    knowsServer: true,
  },
  floor: { title: 'the floor: a request signed by hand, bare `pg`', file: 'floor', format: 'cjs' },
  'naive-bundled-init': waiting('`pg` + AWS SDK, bundled', 'naive'),
  'powertools-init': waiting('Powertools `parameters` + `pg`', 'powertools'),
  'serverless-postgres-init': waiting('`serverless-postgres` + AWS SDK', 'serverless-postgres'),
  'postgres-js-init': waiting('`postgres` + AWS SDK', 'postgres-js'),
  'floor-init': waiting('the floor: a request signed by hand, bare `pg`', 'floor'),
  'ours-ready': { ...waiting('**cockroach-lambda**, ESM', 'ours'), usesLayer: true },
  'ours-ready-cjs': {
    title: '**cockroach-lambda**, CommonJS, waits in init',
    file: 'ours-then',
    format: 'cjs',
    usesLayer: true,
    waitsInInit: true,
  },
  'ours-early-ready': {
    ...waiting('**cockroach-lambda**, ESM, server in the environment', 'ours'),
    usesLayer: true,
    knowsServer: true,
  },
  'ours-early-ready-cjs': {
    title: '**cockroach-lambda**, CommonJS, server in the environment, waits in init',
    file: 'ours-then',
    format: 'cjs',
    usesLayer: true,
    waitsInInit: true,
    knowsServer: true,
  },
} as const satisfies Record<string, SubjectSource>

export type SubjectName = keyof typeof SOURCES

/** In the order of the table by memory. */
export const MEMORY_SUBJECTS = Object.keys(SOURCES) as readonly SubjectName[]

/** Those that wait for nothing in init. */
export const SUBJECTS = MEMORY_SUBJECTS.filter((name) => !subjectSource(name).waitsInInit)

export function subjectSource(name: SubjectName): SubjectSource {
  return SOURCES[name]
}

const SUBJECTS_FOLDER = join(import.meta.dirname, '../subjects')

function waitingEntry(file: string): string {
  return `import { connect } from './${file}.ts'; export { handler } from './${file}.ts'; await connect()`
}

/** For CommonJS packages in an ES module, as esbuild's users do it. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

/** As AWS advises for Node.js functions, and the CDK too. */
const BUNDLED: BuildOptions = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  external: ['cockroach-lambda', 'pg-native'],
  // tsconfig.json maps the library's name to its sources; here it has to stay a name.
  tsconfigRaw: {},
  logLevel: 'error',
}

export interface SubjectCode extends AsyncDisposable {
  /** The folder of the function's code, as `/var/task`. */
  folderOf(subject: SubjectName | 'warm'): string
  /** A layer with our own root certificate instead of the real one. */
  readonly certificateLayer: string
  /** The path of `names.ts` in JavaScript: a preload in TypeScript would have Node's compiler, too, in the process. */
  readonly names: string
}

/** @param rootCertificate PEM, written beside the code of the functions without the layer */
export async function bundleSubjects(rootCertificate: string): Promise<SubjectCode> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-subjects-'))
  const bundle = async (
    name: string,
    { file, format, isUnbundled, usesLayer, waitsInInit }: Omit<SubjectSource, 'title'>,
  ) => {
    const target = join(folder, name)
    await build({
      ...BUNDLED,
      ...(isUnbundled && { minify: false, packages: 'external' }),
      ...(waitsInInit && format === 'esm'
        ? { stdin: { contents: waitingEntry(file), resolveDir: SUBJECTS_FOLDER } }
        : { entryPoints: [join(SUBJECTS_FOLDER, `${file}.ts`)] }),
      ...(format === 'esm' && !usesLayer && { banner: { js: REQUIRE } }),
      outfile: join(target, format === 'esm' ? 'index.mjs' : 'index.cjs'),
      format,
    })
    await writeFile(join(target, 'root.crt'), rootCertificate)
    if (isUnbundled) await copyPackages(['pg', '@aws-sdk/client-secrets-manager'], REPOSITORY, target)
  }
  const certificateLayer = join(folder, 'certificate-layer')
  const names = join(folder, 'names.cjs')
  try {
    await Promise.all([
      ...MEMORY_SUBJECTS.map((name) => bundle(name, SOURCES[name])),
      bundle('warm', { file: 'warm', format: 'cjs' }),
      build({ ...BUNDLED, entryPoints: [join(import.meta.dirname, 'names.ts')], outfile: names, format: 'cjs' }),
      mkdir(join(certificateLayer, 'certs'), { recursive: true }),
    ])
    await copyFile(join(folder, 'floor/root.crt'), join(certificateLayer, 'certs/root.crt'))
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return {
    folderOf: (subject) => join(folder, subject),
    ...{ certificateLayer, names },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
