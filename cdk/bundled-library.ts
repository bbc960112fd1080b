/** Finds out whether a function's code contains a copy of the library, beside the one in the layer. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AssetStaging } from 'aws-cdk-lib'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as variable from '../src/base/environment-variables.ts'

/** A bundle that contains all these names contains the module that reads them, minified or not. */
const VARIABLE_NAMES = Object.values(variable)

/** True when the file with the handler, as it was staged for upload, contains the library. */
export function bundlesLibrary(fn: lambda.Function): boolean {
  const folder = stagedFolder(fn)
  const { defaultChild } = fn.node
  if (folder === undefined || !(defaultChild instanceof lambda.CfnFunction)) return false
  const module = defaultChild.handler?.replace(/\.[^./]*$/, '')
  if (module === undefined) return false
  const path = ['.mjs', '.cjs', '.js']
    .map((extension) => join(folder, `${module}${extension}`))
    .find((candidate) => existsSync(candidate))
  if (path === undefined) return false
  const text = readFileSync(path, 'utf8')
  return VARIABLE_NAMES.every((name) => text.includes(name))
}

/** True when the package is installed beside the handler, by `npm install` or a NodejsFunction's `nodeModules`. */
export function installsLibrary(fn: lambda.Function): boolean {
  const folder = stagedFolder(fn)
  return folder !== undefined && existsSync(join(folder, 'node_modules/cockroach-lambda/package.json'))
}

/** Undefined for code that is no file of this machine: inline, or in a bucket. */
function stagedFolder(fn: lambda.Function): string | undefined {
  const staging = fn.node.tryFindChild('Code')?.node.tryFindChild('Stage')
  return staging instanceof AssetStaging ? staging.absoluteStagedPath : undefined
}
