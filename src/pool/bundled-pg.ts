/**
 * The one module that runs a copy of `pg`: the one that this package was installed or built with. The layer's build has
 * it run when that copy is needed, and not before: see layer/lazy-modules.ts.
 */
import { Client, Connection, Pool } from 'pg'
import type { Pg } from './pg.ts'

/** Stated, not checked: `@types/pg` declares the class of connections without its methods. */
export const bundledPg = { Client, Connection, Pool } as unknown as Pg
