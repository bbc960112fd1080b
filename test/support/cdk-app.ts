/** CDK apps for tests; what they synthesise goes into a folder that is removed at the end of the file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { afterAll } from 'vitest'

/** The folder of a test file's apps, with a folder for each. */
export const appFolder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-cdk-'))
afterAll(() => rmSync(appFolder, { recursive: true }))

let count = 0

/** @param name of its folder, for tests that look into it */
export function newApp(name = `app-${++count}`): App {
  return new App({
    outdir: join(appFolder, name),
    treeMetadata: false,
    // As the command-line tool sets it: templates then say where their assets are.
    context: { 'aws:cdk:enable-asset-metadata': true },
  })
}
