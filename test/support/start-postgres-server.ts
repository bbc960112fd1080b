/** A process that starts a PostgreSQL, tells its port, and stays until it is killed. */
import { PostgresServer } from '../../local/postgres/server.ts'

const server = await PostgresServer.start()
process.send?.(server.port)
