/** Checks a token that is a signed URL without its scheme, as RDS and Aurora DSQL take it for a password. */
import aws4 from 'aws4'
import type { PasswordExchange } from '../../local/cloud/password-exchange.ts'
import type { FatalError } from '../../local/cloud/wire-protocol.ts'

export interface SignedTokens {
  readonly service: 'rds-db' | 'dsql'
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** What the URL has to ask for, the user among it where the service has it there. */
  readonly action: Readonly<Record<string, string>>
  /** The host that the token has to be for, with its port where the service has it. */
  readonly host: string
  /** The password that PostgreSQL gets instead. */
  readonly password: string
}

function refusal(user: string, detail: string): FatalError {
  return { sqlstate: '28000', message: `PAM authentication failed for user "${user}"`, detail }
}

/** PostgreSQL's password for a token whose parameters, time and signature are right. */
export function signedTokens(expected: SignedTokens): PasswordExchange {
  return async ({ user, password: token }) => {
    const url = new URL(`https://${token}`)
    const { searchParams } = url
    if (token.split('/')[0] !== expected.host) return refusal(user, 'for another host')
    for (const [name, value] of Object.entries(expected.action)) {
      if (searchParams.get(name) !== value) return refusal(user, `${name} differs`)
    }
    const date = searchParams.get('X-Amz-Date') ?? ''
    const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    const ageMs = Date.now() - at
    const isInTime = ageMs > -60_000 && ageMs < 1000 * Number(searchParams.get('X-Amz-Expires'))
    if (!isInTime) return refusal(user, 'too old')
    const query = new URLSearchParams({ ...expected.action, 'X-Amz-Date': date })
    query.set('X-Amz-Expires', searchParams.get('X-Amz-Expires') ?? '')
    const { service, region, accessKeyId, secretAccessKey, sessionToken } = expected
    const signed = aws4.sign(
      { method: 'GET', path: `/?${query}`, headers: { host: expected.host }, signQuery: true, service, region },
      { accessKeyId, secretAccessKey, sessionToken },
    )
    const own = new URLSearchParams(signed.path?.slice(2)).get('X-Amz-Signature')
    return own !== null && own === searchParams.get('X-Amz-Signature') ? expected.password : refusal(user, 'signature')
  }
}
