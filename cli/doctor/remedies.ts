/** Why a step fails, and the command or click that mends it: the failures that people meet, in tables. */

import { OF_CERTIFICATES } from './remedies/certificates.ts'
import { OF_CLUSTERS } from './remedies/clusters.ts'
import { OF_FUNCTIONS } from './remedies/functions.ts'
import type { Circumstances, Fault, Remedy, Row } from './remedies/remedy.ts'
import { OF_SECRETS } from './remedies/secrets.ts'
import { OF_SERVERS } from './remedies/servers.ts'
import { OF_SETTINGS } from './remedies/settings.ts'
import { PROGRAM } from './remedies/words.ts'

/** The first that fits: messages of certificates and clusters before what servers and networks have in common. */
const ROWS: readonly Row[] = [
  ...OF_FUNCTIONS,
  ...OF_CERTIFICATES,
  ...OF_CLUSTERS,
  ...OF_SERVERS,
  ...OF_SECRETS,
  ...OF_SETTINGS,
]

export function remedyFor(fault: Fault, circumstances: Circumstances): Remedy {
  const row = ROWS.find(({ when }) => when(fault))
  if (row === undefined) return { why: fault.hint ?? 'See the message.', mend: [`${PROGRAM} doctor --json`] }
  const why = typeof row.why === 'string' ? row.why : row.why(fault)
  return { why, mend: row.mend(circumstances, fault) }
}
