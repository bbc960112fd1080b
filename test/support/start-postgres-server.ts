/** A process that starts a PostgreSQL, prints its port, and runs until it is killed. */
import { PostgresServer } from '../../local/postgres/server.ts'

const server = await PostgresServer.start()
process.send?.(server.port)
