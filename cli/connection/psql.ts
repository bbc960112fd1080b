/** `psql`: starts psql with the connection of the function; its password is in no process list and no variable. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Environment } from '../../src/base/environment-variables.ts'
import { clientCertificatePaths, rootCertificatePath } from '../../src/connection/certificate-files.ts'
import { type Run, UsageError } from '../command.ts'
import { NOT_FOUND } from '../exit-codes.ts'
import { orExplain } from '../failing.ts'
import { libpqVariables } from './formats.ts'
import { writePasswordFile } from './password-file.ts'
import { meantSecret, resolveConnection } from './resolve.ts'

/** What ends this process ends psql as well, from the terminal or by us; this process ends after it. */
const FORWARDED = ['SIGTERM', 'SIGHUP'] as const

/** Waits for psql; Ctrl-C is psql's, which cancels a statement with it. */
async function runPsql(words: readonly string[], environment: Environment): Promise<number> {
  const child = spawn('psql', words, { stdio: 'inherit', env: { ...environment } })
  const ignore = (): void => undefined
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGINT', ignore)
  for (const signal of FORWARDED) process.on(signal, forward)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  } finally {
    process.off('SIGINT', ignore)
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}

export const runPsqlCommand: Run = (given, context) =>
  orExplain(context, meantSecret(given, context), async () => {
    const { parameters, password, rootCertificate, clientCertificate } = await resolveConnection(given, context)
    const secret = password?.reveal()
    if (secret !== undefined && /[\r\n]/.test(secret))
      throw new UsageError('the password has a line end, which no password file of libpq can hold')
    const sslrootcert = parameters.sslmode === 'disable' ? undefined : rootCertificatePath(rootCertificate)
    // Of text, files of their owner's alone, which are removed when this process ends.
    const client = clientCertificate && clientCertificatePaths(clientCertificate)
    // Others of libpq's variables would overrule what the secret says.
    const others = Object.entries(context.environment).filter(([name]) => !/^PG[A-Z]+|^DATABASE_URL$/.test(name))
    using file = secret === undefined ? undefined : writePasswordFile(secret)
    const environment = {
      ...Object.fromEntries(others),
      ...libpqVariables({
        ...{ parameters, password: undefined, sslrootcert },
        ...(client && { sslcert: client.sslcert, sslkey: client.sslkey.reveal() }),
      }),
      ...(file !== undefined && { PGPASSFILE: file.path }),
    }
    try {
      return await runPsql(given.operands, environment)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      context.stderr.write('psql is not installed: apt-get install postgresql-client, or brew install libpq\n')
      return NOT_FOUND
    }
  })
