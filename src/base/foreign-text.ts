/** Makes text from outside fit to be shown: cut, in one line, and without the secrets that were sent. */
import type { Password } from './password.ts'

/** What was sent to the other side, which may quote it. */
export type Secrets = readonly (Password | undefined)[]

/** The longest foreign text that is shown, in characters. */
const LONGEST = 1000
/** A part of a secret this long is not shown either: quotes are often cut. */
const PART = 16
/** Shorter secrets occur in any text by chance. */
const SHORTEST = 4
/** Only the beginning of a longer secret is looked for; passwords are shorter. */
const LONGEST_SECRET = 4096

/** With a blank for controls, invisible and unassigned characters, halves of surrogate pairs, separators of lines. */
function printable(text: string): string {
  if (/^[ -~]*$/.test(text)) return text
  // Not a constant, which every cold start would make: V8 looks up then what is in Unicode's classes.
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
}

/** A secret in the forms in which a text may hold it: unchanged, in JSON, percent-encoded, in hex, in base64. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const everyByte = hex.replace(/../g, '%$&')
  const percent = encodeURIComponent(secret.toWellFormed())
  const lowerPercent = percent.replace(/%../g, (byte) => byte.toLowerCase())
  // Base64 depends on the bytes in front, as in `user:password`; its first character may depend on both.
  const base64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(before && before + 1, Math.floor(((before + bytes.length) * 8) / 6)),
  )
  const base64url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))
  const forms = [secret, JSON.stringify(secret).slice(1, -1), percent, lowerPercent, hex, everyByte]
  return [...forms, hex.toUpperCase(), everyByte.toUpperCase(), ...base64, ...base64url]
}

/** The longest text that is shown, with `[redacted]` for what is one of the forms, or a long part of one. */
function redact(text: string, forms: readonly string[]): string {
  let shown = ''
  let coveredTo = 0
  // A secret that begins before the cut and ends behind it is found too.
  for (let at = 0; at < Math.min(text.length, LONGEST); at += 1) {
    for (const form of forms) {
      const part = text.slice(at, at + Math.min(PART, form.length))
      if (part.length < Math.min(PART, form.length) || !form.includes(part)) continue
      if (at >= coveredTo) shown += '[redacted]'
      coveredTo = Math.max(coveredTo, at + part.length)
    }
    if (at >= coveredTo) shown += text[at]
  }
  return shown
}

/** The first line of a text from outside, 1000 characters at most, without secrets of four characters and more. */
export function foreignText(text: string, secrets: Secrets = []): string {
  const forms = secrets.flatMap((secret) =>
    secret === undefined ? [] : formsOf(secret.reveal().slice(0, LONGEST_SECRET)),
  )
  const known = forms.filter((form) => form.length >= SHORTEST)
  const [line = ''] = redact(text, known)
    .trim()
    .split(/[\r\n]/, 1)
  const isCut = text.length > LONGEST || line.length > LONGEST
  const shown = isCut ? `${line.slice(0, LONGEST - 40)}… (${text.length} characters)` : line
  return printable(shown)
}

/**
 * A copy of an error from outside that is fit to be shown: same class, with those properties that are
 * strings or numbers. Left out are requests and answers of the AWS SDK, whole certificates, a URL that cannot be parsed.
 */
export function foreignError(error: unknown, secrets: Secrets = []): Error {
  const source = error instanceof Error ? error : new Error(String(error))
  const copy = new Error(foreignText(source.message, secrets))
  for (const [name, value] of Object.entries(source)) {
    if (name === 'input' || name === 'base') continue
    if (typeof value === 'string') Object.assign(copy, { [name]: foreignText(value, secrets) })
    if (typeof value === 'number') Object.assign(copy, { [name]: value })
  }
  return Object.setPrototypeOf(copy, Object.getPrototypeOf(source))
}
