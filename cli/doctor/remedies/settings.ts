/** Failures of settings. */
import type { Row } from './remedy.ts'
import { has, PROGRAM, says } from './words.ts'

/** The first that fits. */
export const OF_SETTINGS: readonly Row[] = [
  {
    when: has('ERR_CONFIG', /no secret and no server/),
    why: 'Nothing names a database.',
    mend: () => [
      `${PROGRAM} doctor --secret-id <name or ARN>`,
      `or give the connection string: ${PROGRAM} doctor --url -`,
    ],
  },
  {
    when: says(/\(3D000\)/),
    why: 'The server has no such database.',
    mend: ({ parameters }) => [
      `${PROGRAM} psql -- -c 'create database <name>'`,
      `or correct the database name, which is ${parameters?.dbname.replace(/^.*\./, '') ?? 'unknown'}`,
    ],
  },
  {
    when: (fault) => fault.code === 'ERR_CONFIG',
    why: (fault) => (fault.step === 'settings' ? 'A setting cannot be used.' : (fault.hint ?? 'See the message.')),
    mend: () => ['Correct or unset the variable that the message names; docs/settings.md lists all'],
  },
]
