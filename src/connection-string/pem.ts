/** PEM in the forms in which secrets and variables hold it. */

/** `+` for a blank: in CockroachDB's URLs (`sslinline=true`), which Go has encoded. */
const BLOCK = /-----BEGIN[ +]([A-Z\d +]+)-----((?:[^-]|-(?!----))*)-----END[ +]\1-----/g

/** One part of a PEM text. */
export interface PemBlock {
  /** For example `CERTIFICATE`, `EC PRIVATE KEY`. */
  readonly label: string
  /** From `-----BEGIN` to the end of its last line. */
  readonly pem: string
}

export function pemBlocks(text: string): readonly PemBlock[] {
  return Array.from(text.matchAll(BLOCK), ([pem, label = '']) => ({ label, pem }))
}

/** True for PEM text, as `restorePem` returns it; false for a path. */
export function isPem(text: string): boolean {
  return text.includes('-----BEGIN')
}

/**
 * PEM with lines as OpenSSL expects them: restored are line ends that became blanks or were written as `\n`, and text
 * that was encoded in base64 as a whole. Undefined for what is not PEM.
 */
export function restorePem(text: string): string | undefined {
  // The first four letters of each are those of `-----BEGIN`.
  const isBase64 = text.trimStart().startsWith('LS0tLS1CRUdJ') && /^[\w+/=\s]+$/.test(text)
  const decoded = isBase64 ? Buffer.from(text, 'base64').toString() : text
  if (!isPem(decoded)) return undefined
  const lines = decoded.replaceAll('\\r\\n', '\n').replaceAll('\\n', '\n')
  return lines.replace(BLOCK, (block, label: string, body: string) => {
    // An old encrypted key has headers, which are lines of their own.
    if (body.includes(':')) return block
    const name = label.replaceAll('+', ' ')
    return `-----BEGIN ${name}-----\n${body.replace(/\s/g, '').replace(/.{1,64}/g, '$&\n')}-----END ${name}-----`
  })
}
