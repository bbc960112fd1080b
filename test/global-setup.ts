/** Starts the one PostgreSQL that all test files share, and tells them where it is. */
import type { TestProject } from 'vitest/node'
import type { SuperuserConfig } from '../local/postgres/admin.ts'
import { PostgresServer } from '../local/postgres/server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: SuperuserConfig
  }
}

/** Vitest calls what is returned when all tests are over. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await PostgresServer.start()
  project.provide('postgres', server.superuserConfig())
  return async () => await server.stop()
}
