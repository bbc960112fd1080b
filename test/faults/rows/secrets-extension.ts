/** Row 13: the Parameters and Secrets extension beside the function, working and failing. */
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import { type ExtensionState, SecretsExtensionStandIn } from '../../../local/secrets-manager/extension-stand-in.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered } from '../promises.ts'
import type { Stage } from '../stage.ts'
import { rotate, writeOnNewConnection } from './rotation.ts'

const SESSION_TOKEN = 'faults-session-token'

/** Starts the extension, and an environment that has it. */
async function withExtension(
  stage: Stage,
  state: ExtensionState,
  run: (extension: SecretsExtensionStandIn, environment: ExecutionEnvironment) => Promise<void>,
): Promise<void> {
  await using extension = await SecretsExtensionStandIn.start({
    secretsManagerUrl: stage.secretsManager.url,
    sessionToken: SESSION_TOKEN,
  })
  extension.state = state
  // Nothing listens on the port of one that stopped.
  if (state === 'absent') await extension.stop()
  const environment = await stage.startEnvironment({
    sessionToken: SESSION_TOKEN,
    environment: { PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(extension.port) },
  })
  await run(extension, environment)
  await environment.shutdown()
}

/** Cold, then on a new connection for which the secret is read again. */
function inState(id: string, state: ExtensionState, words: string): FaultRow {
  return {
    id,
    fault: `secrets extension ${words}`,
    caller: 'the answer, with the secret from Secrets Manager itself',
    database: 'every write once',
    isSlow: state === 'silent',
    hasPeers: false,
    inject: (stage) =>
      withExtension(stage, state, async (_, environment) => {
        await stage.write(environment)
        await writeOnNewConnection(stage, environment)
      }),
    brokenPromises: allAnswered,
  }
}

// With the peers, reading the secret is the function's own code.
export const SECRETS_EXTENSION_ROWS: readonly FaultRow[] = [
  {
    id: '13a',
    fault: 'secrets extension present',
    caller: 'the answer, with the secret from the extension',
    database: 'every write once; no GetSecretValue but the one of the extension itself',
    hasPeers: false,
    inject: (stage) =>
      withExtension(stage, 'ready', async (_, environment) => {
        await stage.write(environment)
        await writeOnNewConnection(stage, environment)
        await writeOnNewConnection(stage, environment)
      }),
    brokenPromises: ({ tally, secretsManager }) => {
      const requests = secretsManager.requests.length
      return requests === tally.injected
        ? []
        : [`Secrets Manager was asked ${requests} times for ${tally.injected} environments`]
    },
  },
  {
    id: '13b',
    fault: 'secrets extension still has the password from before a rotation',
    caller: 'the answer, with the new password',
    database: 'every write once',
    hasPeers: false,
    inject: (stage) =>
      withExtension(stage, 'ready', async (_, environment) => {
        await stage.write(environment)
        await rotate(stage)
        await writeOnNewConnection(stage, environment)
        await writeOnNewConnection(stage, environment)
      }),
    brokenPromises: allAnswered,
  },
  inState('13c', 'absent', 'absent'),
  inState('13d', 'notReady', 'not ready'),
  inState('13e', 'broken', 'broken'),
  inState('13f', 'silent', 'accepts and sends nothing'),
]
