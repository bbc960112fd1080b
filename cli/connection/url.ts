/** `url`: the connection as another program reads it, redacted unless it is to be shown. */
import { describeUnknown } from '../arguments.ts'
import { type Run, UsageError } from '../command.ts'
import { OK } from '../exit-codes.ts'
import { orExplain } from '../failing.ts'
import { wrapped } from '../text.ts'
import { FORMATS } from './formats.ts'
import { meantSecret, resolveConnection } from './resolve.ts'

/** Stands for the password; no form of a string needs to encode it. */
const REDACTED = 'REDACTED'

export const runUrl: Run = (given, context) => {
  const { stdout, stderr } = context
  const format = given.value('format') ?? 'uri'
  const write = FORMATS.get(format)
  if (write === undefined) throw new UsageError(describeUnknown('format', format, [...FORMATS.keys()]))
  return orExplain(context, meantSecret(given, context), async () => {
    const { parameters, password, rootCertificate, clientCertificate } = await resolveConnection(given, context)
    const { path, ca } = rootCertificate
    const isVerified = parameters.sslmode !== 'disable'
    const sslrootcert = isVerified ? (path ?? (ca === undefined ? 'system' : undefined)) : undefined
    const { certPath: sslcert, keyPath: sslkey } = clientCertificate ?? {}
    const isText = clientCertificate !== undefined && (sslcert === undefined || sslkey === undefined)
    const shown = given.flag('show') ? password?.reveal() : REDACTED
    stdout.write(`${write({ parameters, password: password && shown, sslrootcert, sslcert, sslkey })}\n`)
    const notes = [
      ...(given.flag('show') || password === undefined ? [] : ['The password is redacted: --show prints it.']),
      ...(isVerified && path === undefined && ca !== undefined
        ? ['The root certificate is text, not a file: write it to one, and name that in sslrootcert.']
        : []),
      ...(isText
        ? [
            'The client certificate or its key is text: write each to a file, the key with mode 600, and name them in sslcert and sslkey.',
          ]
        : []),
      ...(sslrootcert === 'system' ? ['sslrootcert=system needs libpq 16 or later; others need a file.'] : []),
    ]
    // Not on stdout, which is for the string alone.
    if (notes.length > 0) stderr.write(`${notes.flatMap((note) => wrapped(note)).join('\n')}\n`)
    return OK
  })
}
