/** Finds the Node 22 binary, for tests that run the layer on Lambda's older runtime as well. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/**
 * The path of Node 22's executable.
 * @throws Error when it is not installed: a missing prerequisite fails, it does not skip.
 */
export function node22Path(): string {
  const executable = process.platform === 'win32' ? 'node.exe' : 'node'
  const path = join(import.meta.dirname, 'node-22', 'node_modules', 'node', 'bin', executable)
  try {
    accessSync(path, constants.X_OK)
  } catch (cause) {
    throw new Error(`Node 22 is not at ${path}: run npm ci, with install scripts allowed`, { cause })
  }
  return path
}
