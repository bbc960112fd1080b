/** Reads an answer of Secrets Manager; the body holds a secret, and is never quoted, unlike in an error of JSON.parse. */
import type { SecretValue } from './request.ts'

/** The members of a JSON object. @throws Error, with the body's length, when it is not one */
export function readMembers(body: string, who: string): Readonly<Record<string, unknown>> {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    throw new Error(`${who} answered ${body.length} characters that are not JSON`)
  }
  if (typeof answer !== 'object' || answer === null) throw new Error(`${who} answered without a JSON object`)
  return { ...answer }
}

export function textOf(member: unknown): string | undefined {
  return typeof member === 'string' ? member : undefined
}

/** Milliseconds since 1970: AWS answers in seconds, the extension in ISO 8601. */
function instantOf(member: unknown): number | undefined {
  const ms = typeof member === 'number' ? Math.round(member * 1000) : Date.parse(textOf(member) ?? '')
  return Number.isNaN(ms) ? undefined : ms
}

/** GetSecretValue's answer. */
export function secretValue(body: string, who: string): SecretValue {
  const { SecretString, VersionId, CreatedDate } = readMembers(body, who)
  return { secretString: textOf(SecretString), versionId: textOf(VersionId), createdAt: instantOf(CreatedDate) }
}
