/** The npm package as its users have it: packed, and installed in a folder beside what it depends on. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const REPOSITORY = join(import.meta.dirname, '../..')
/** What the package and its users need, linked instead of installed again. */
const BESIDE = ['pg', '@aws-sdk', '@opentelemetry', '@types', 'aws-cdk-lib', 'constructs']

/** Packs what `npm run build` made, and unpacks it below `folder`'s node_modules. */
export function installPackedPackage(folder: string): void {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  }).trim()
  const installed = join(folder, 'node_modules/cockroach-lambda')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, packed), '--strip-components=1', '-C', installed])
  for (const name of BESIDE) {
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
  }
}
