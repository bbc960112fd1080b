/** How programs of another terminal reach the function's database. */
import { Password } from '../../src/base/password.ts'
import { buildConnectionString } from '../../src/connection-string/parse.ts'
import type { Services } from '../services.ts'

export interface Terminal {
  /** The connection string, its password in it: the database and the password are of this run alone. */
  readonly databaseUrl: string
  /** One line to paste. The password is not among psql's arguments, which other users see. */
  readonly psql: string
}

export function terminalAccess({
  access,
  cloud,
  rootCertificate,
}: Pick<Services, 'access' | 'cloud' | 'rootCertificate'>): Terminal {
  const { user, password, database, cluster } = access
  const server = { host: 'localhost', port: cloud.port, dbname: `${cluster}.${database}`, user } as const
  const fields = { ...server, sslmode: 'verify-full', sslrootcert: rootCertificate } as const
  const plain = `postgresql://${user}@${server.host}:${server.port}/${server.dbname}?sslmode=verify-full`
  return {
    databaseUrl: buildConnectionString({ ...fields, password: new Password(password) }),
    psql: `PGPASSWORD='${password}' PGSSLROOTCERT='${rootCertificate}' psql '${plain}'`,
  }
}
