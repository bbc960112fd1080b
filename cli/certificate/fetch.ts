/** `cert fetch`: downloads the root certificate of a cluster to where libpq looks for it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readRootCertificate } from '../../src/connection/root-certificate.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { type Run, UsageError } from '../command.ts'
import type { Context } from '../context.ts'
import { describeCertificates } from '../doctor/probe.ts'
import { StepFailure, Walk } from '../doctor/walk.ts'
import { OK } from '../exit-codes.ts'
import { orExplain } from '../failing.ts'
import { wrapped } from '../text.ts'
import { CLOUD_ORIGIN, type Download, downloadRootCertificate } from './download.ts'
import { certificatesText } from './text.ts'

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i

/** libpq's default. @see https://www.postgresql.org/docs/current/libpq-ssl.html */
function defaultFile({ environment }: Context): string {
  const home = environment.HOME ?? environment.USERPROFILE
  if (home === undefined) throw new UsageError('there is no home folder: name a file with --out')
  return join(home, '.postgresql', 'root.crt')
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** The certificates of a text, read as a secret's would be. @throws ConnectionError `ERR_TLS` for anything else */
function certificatesOf(text: string): readonly string[] {
  const { platform } = readSettings({ host: 'localhost' }, {})
  return readRootCertificate({ value: text, origin: 'option' }, platform, import.meta.dirname).ca ?? []
}

/** Beside it first, so that no half of a file is ever there. */
function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const part = `${file}.part`
  writeFileSync(part, text)
  renameSync(part, file)
}

/** @param download from where; of tests, a server of theirs */
export function certFetch(download: Download): Run {
  return async (given, context) => {
    const { stdout } = context
    const clusterId = given.value('cluster-id')
    if (clusterId === undefined || !UUID.test(clusterId))
      throw new UsageError("--cluster-id needs the UUID in the cluster's address in the console, .../cluster/<UUID>")
    const file = resolve(given.value('out') ?? defaultFile(context))
    return orExplain(context, undefined, async () => {
      const walk = new Walk(() => undefined)
      const text = await walk.step('TCP', async () => ({
        value: await downloadRootCertificate(clusterId, download),
        saw: '',
      }))
      const ca = await walk.step('root certificate', () => ({ value: certificatesOf(text), saw: '' }))
      const before = contentOf(file)
      const content = `${ca.join('\n')}\n`
      if (before !== undefined && before !== content && !given.flag('force'))
        throw new UsageError(`${file} exists and is another: --force replaces it, --out names another file`)
      try {
        write(file, content)
      } catch (cause) {
        throw new StepFailure('root certificate', cause)
      }
      const found = certificatesText(describeCertificates(ca, Date.now()), 'nothing')
      stdout.write(`${[...wrapped(`written to ${file}:`), ...found].join('\n')}\n`)
      stdout.write('Next: npx cockroach-lambda doctor\n')
      return OK
    })
  }
}

export const runCertFetch: Run = certFetch({ origin: CLOUD_ORIGIN })
