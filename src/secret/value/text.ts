/** Readers and refusals of a secret's text: JSON, base64, and what only looks like JSON. */
import { type Origin, refusal } from '../../base/refusal.ts'
import { isPostgresqlUrl } from '../../connection-string/url.ts'
import { CONNECTION_STRING_FORM } from '../../connection-string/writer.ts'
import { putSecretValueHint } from '../put-secret-value.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export const SECRET_FORM = `Expected: ${CONNECTION_STRING_FORM}, or JSON with host, port, username, password and dbname.`

/** The hint for a secret that holds nothing. */
export function emptyHint(origin: Origin): string {
  const [, secretId = '<secret id>'] = /^secret "([^"]+)"/.exec(origin.name) ?? []
  return putSecretValueHint(secretId)
}

/** JSON.parse without its error, which quotes the text. */
export function tryJson(text: string): { value: Json } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

export function isJsonObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Refuses base64 of a text that can be read. */
export function refuseBase64(text: string, origin: Origin): void {
  if (text.length < 16 || text.includes(':') || !/^[A-Za-z0-9+/_\s-]+={0,2}$/.test(text)) return
  const decoded = Buffer.from(text, 'base64').toString('utf8').trim()
  if (!isPostgresqlUrl(decoded) && !/^\{\s*"/.test(decoded)) return
  throw refusal(origin, 'is encoded in base64', 'Store the text itself: --secret-string needs no encoding.')
}

/** The error for a text that begins like a JSON object, but is not JSON. */
export function malformedJson(text: string, origin: Origin): Error {
  if (/^\{\s*'/.test(text) || /:\s*(?:None|True|False)\s*[,}]/.test(text)) {
    return refusal(
      origin,
      'is a Python dict, not JSON',
      'Write it with json.dumps(), not str(): JSON has double quotes.',
    )
  }
  if (/^\{\s*[a-z_]+\s*:/i.test(text)) {
    return refusal(
      origin,
      'has keys without quotes, so it is not JSON',
      'Some shells (PowerShell, cmd) remove the quotes; pass --secret-string file://secret.json.',
    )
  }
  return refusal(
    origin,
    `begins with "{", but is malformed JSON (${text.length} characters)`,
    `Is a quote, comma or brace missing, or the text cut off? ${SECRET_FORM}`,
  )
}
