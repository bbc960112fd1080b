/** Reads an answer of Secrets Manager; the body holds a secret, and is never quoted, as JSON.parse would. */
import type { SecretValue } from './request.ts'

/** The members of a JSON object. @throws Error, with the body's length, when it is none */
export function readMembers(body: string, who: string): Readonly<Record<string, unknown>> {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    throw new Error(`${who} answered ${body.length} characters that are no JSON`)
  }
  if (typeof answer !== 'object' || answer === null) throw new Error(`${who} answered no JSON object`)
  return { ...answer }
}

export function textOf(member: unknown): string | undefined {
  return typeof member === 'string' ? member : undefined
}

/** Seconds since 1970 on AWS' own wire, ISO 8601 from the extension; in milliseconds. */
function instantOf(member: unknown): number | undefined {
  const ms = typeof member === 'number' ? Math.round(member * 1000) : Date.parse(textOf(member) ?? '')
  return Number.isNaN(ms) ? undefined : ms
}

/** GetSecretValue's answer. */
export function secretValue(body: string, who: string): SecretValue {
  const { SecretString, VersionId, CreatedDate } = readMembers(body, who)
  return { secretString: textOf(SecretString), versionId: textOf(VersionId), createdAt: instantOf(CreatedDate) }
}
