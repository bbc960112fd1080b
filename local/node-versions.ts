/** Finds the Node binaries of Lambda's other runtimes, for tests that run the layer there as well. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/**
 * The path of an executable: of Lambda's older runtime, or of its next one.
 * @throws Error when it is not installed: a missing prerequisite fails, it does not skip.
 */
export function nodePath(major: 22 | 26): string {
  const executable = process.platform === 'win32' ? 'node.exe' : 'node'
  const path = join(import.meta.dirname, `node-${major}`, 'node_modules', 'node', 'bin', executable)
  try {
    accessSync(path, constants.X_OK)
  } catch (cause) {
    throw new Error(`Node ${major} is not at ${path}: run npm ci, with install scripts allowed`, { cause })
  }
  return path
}
