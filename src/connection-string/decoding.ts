/** Percent-decoding, exactly once, by libpq's rules: a plus is a plus. */
import type { Origin } from './fields.ts'
import { refusal } from './refusal.ts'

const ENCODED = /%[0-9a-f]{2}/i
const RAW_PERCENT = /%(?![0-9a-f]{2})/i

/**
 * The text that a part of a URL stands for. A part whose every `%` is no encoding was never encoded, and is taken as
 * it is; `encoded` is false then.
 *
 * @throws ConnectionError when some `%` are encodings and others are not, or when the bytes are not UTF-8.
 */
export function decodePart(name: string, text: string, origin: Origin): { value: string; encoded: boolean } {
  if (RAW_PERCENT.test(text)) {
    if (!ENCODED.test(text)) return { value: text, encoded: false }
    throw refusal(
      origin,
      `${name} mixes percent-encoding with a bare %, and can be read in two ways`,
      'Write a % that stands for itself as %25.',
    )
  }
  try {
    return { value: decodeURIComponent(text), encoded: true }
  } catch {
    // The URIError is dropped on purpose: it adds nothing.
    throw refusal(
      origin,
      `${name} has percent-encoded bytes that are not UTF-8`,
      'Encode it as UTF-8, and a % that stands for itself as %25.',
    )
  }
}
