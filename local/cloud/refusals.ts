/** The errors with which CockroachDB Cloud's proxy refuses a client, in its current and its older wording. */
import type { FatalError } from './wire-protocol.ts'

/** `older`: SQLSTATE 08004 and the texts of older releases, which a client must understand too. */
export type Wording = 'current' | 'older'

/** Why the proxy refuses a client. */
export type Refusal =
  | { readonly reason: 'missing cluster identifier' }
  | { readonly reason: 'invalid cluster identifier'; readonly identifier: string; readonly hint: string }
  | { readonly reason: 'invalid database param' }
  | { readonly reason: 'multiple cluster flags provided' }
  | { readonly reason: 'invalid cluster flag' }
  | { readonly reason: 'multiple different cluster identifiers provided'; readonly identifiers: readonly string[] }
  | { readonly reason: 'cluster not found'; readonly cluster: string }
  | { readonly reason: 'server requires encryption' }
  | { readonly reason: 'address not on the allowlist' }
  | { readonly reason: 'throttled' }
  | { readonly reason: 'unavailable' }
  | { readonly reason: 'request unit limit' }
  | { readonly reason: 'internal server error' }

const SQLSTATES: Record<Wording, string> = { current: '08C00', older: '08004' }
const EVERY_WAY =
  'Name your cluster in exactly one way: the host name (SNI), options=--cluster=<cluster identifier>, or <cluster identifier>.<database name> as the database.'

/** The error as it goes over the wire. */
export function refusalError(refusal: Refusal, wording: Wording = 'current'): FatalError {
  if (refusal.reason === 'request unit limit') {
    // This one comes from the cluster, not from the proxy.
    const hint = 'the maximum number of allowed connections is 0'
    return { sqlstate: '53300', message: 'cluster connections are limited', hint }
  }
  return { sqlstate: SQLSTATES[wording], ...words(refusal, wording === 'older') }
}

type ProxyRefusal = Exclude<Refusal, { reason: 'request unit limit' }>

function words(refusal: ProxyRefusal, older: boolean): { message: string; hint?: string } {
  switch (refusal.reason) {
    case 'missing cluster identifier':
      return routingFailed(older ? 'missing cluster name in connection string' : refusal.reason, EVERY_WAY)
    case 'invalid cluster identifier':
      return routingFailed(`invalid cluster identifier '${refusal.identifier}'`, refusal.hint)
    case 'multiple different cluster identifiers provided':
      return routingFailed(refusal.reason, `Which one is meant: '${refusal.identifiers.join("' or '")}'?\n${EVERY_WAY}`)
    case 'invalid database param':
    case 'multiple cluster flags provided':
    case 'invalid cluster flag':
      return routingFailed(refusal.reason)
    case 'cluster not found':
      return routingFailed(`cluster ${refusal.cluster} not found`)
    case 'address not on the allowlist':
      return { message: 'codeProxyRefusedConnection: connection refused' }
    case 'throttled': {
      const text = older ? 'connection attempt throttled' : 'too many failed authentication attempts'
      return { message: `codeProxyRefusedConnection: ${text}`, hint: 'Check the user name and the password.' }
    }
    case 'unavailable':
      return { message: 'codeUnavailable: the cluster is not accepting connections' }
    // Without a code in front, as the proxy writes errors from before the client was routed.
    case 'server requires encryption':
    case 'internal server error':
      return { message: refusal.reason }
  }
}

function routingFailed(text: string, hint?: string): { message: string; hint?: string } {
  return { message: `codeParamsRoutingFailed: ${text}`, ...(hint === undefined ? {} : { hint }) }
}
