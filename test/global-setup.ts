/** Before all tests: a temporary folder of the run's own, and the one PostgreSQL that all test files share. */
import type { TestProject } from 'vitest/node'
import type { SuperuserConfig } from '../local/postgres/admin.ts'
import { PostgresServer } from '../local/postgres/server.ts'
import { TemporaryFolder } from './support/temporary-folder.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: SuperuserConfig
    /** How often faults.test.ts injects each fault. */
    injections: number
    /** Test files that this run leaves out, by path. */
    leftOut: readonly string[]
  }
}

/** Vitest calls what is returned when all tests are over; a run that left something in the temporary folder fails there. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await TemporaryFolder.open()
  const server = await PostgresServer.start()
  project.provide('postgres', server.superuserConfig())
  return async () => {
    await server.stop()
    const left = await folder.left()
    await folder[Symbol.asyncDispose]()
    const { leftOut } = project.getProvidedContext()
    if (leftOut.length > 0)
      console.log(
        `Left to npm run test:all: ${leftOut.join(', ')}, faults injected again, and the tests of what is built on pg with its oldest version.`,
      )
    if (left.length > 0) throw new Error(`The tests left in the temporary folder: ${left.join(', ')}`)
  }
}
