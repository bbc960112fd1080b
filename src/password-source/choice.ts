/** Chooses what makes the passwords: a function of the caller, or STS, whose module is loaded for that alone. */
import { fullJitterMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { foreignText } from '../base/foreign-text.ts'
import { Password } from '../base/password.ts'
import { within } from '../base/within.ts'
import { ANSWER_TIMEOUT_MS, answerLimit } from '../lambda/deadline.ts'
import { isForSnapshot } from '../lambda/init.ts'
import { signedPost } from '../secret/reader/signed-post.ts'
import type { Settings } from '../settings/settings.ts'
import { passwordFunction } from './password-function.ts'
import type { PasswordSource } from './password-source.ts'

const HEADERS = { 'content-type': 'application/x-www-form-urlencoded' }
/** Longer than for Secrets Manager, behind which there is the SDK, in milliseconds. */
const SILENCE_MS = 2000

function webIdentity({ jwtAudience, platform }: Settings, clock: Clock): PasswordSource {
  const loading = import('./jwt.ts').then(
    ({ JwtSource }) =>
      new JwtSource({
        post: (body, signal) => {
          const access = platform.stsAccess()
          return access && signedPost(access, { headers: HEADERS, body, signal, silenceMs: SILENCE_MS })
        },
        shown: (text) => {
          const { secretAccessKey, sessionToken } = platform.stsAccess() ?? {}
          return foreignText(text, [secretAccessKey, sessionToken])
        },
        waitMs: (attempt, backoff) => fullJitterMs(attempt, backoff, clock.random),
        ...{ clock, isForSnapshot: () => isForSnapshot(platform), limitMs: ANSWER_TIMEOUT_MS },
      }),
  )
  const audience = (host: string): string => jwtAudience ?? host
  return {
    kind: 'jwt',
    current: async (host) => {
      const jwt = await loading
      const limit = answerLimit('STS returned no token', (cause) => jwt.timedOut(cause))
      return new Password(await within(limit, jwt.token(audience(host))))
    },
    renewed: async (host, refusal) => {
      const token = await (await loading).renewed(audience(host), refusal)
      return token === undefined ? undefined : new Password(token)
    },
    explained: async (host, refusal) => (await loading).explained(audience(host), refusal),
  }
}

/** Undefined when the password is a field of the connection. */
export function passwordSourceOf(settings: Settings, clock: Clock): PasswordSource | undefined {
  const { auth, passwordFunction: call } = settings
  if (call !== undefined) return passwordFunction(call)
  return auth === 'jwt' ? webIdentity(settings, clock) : undefined
}
