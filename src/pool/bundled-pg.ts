/**
 * The one module that runs a copy of `pg`: the one that this package was installed or built with. The layer's build has
 * it run when that copy is needed, and not before: see layer/lazy-modules.ts.
 */
export { Client, Connection, Pool } from 'pg'
