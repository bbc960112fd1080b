/** Makes passwords, and what a server stores of them. */
import { createHash, createHmac, pbkdf2, randomBytes, randomInt } from 'node:crypto'
import { promisify } from 'node:util'

/** No form of a connection string escapes them, and no client reads them in two ways; SASLprep leaves ASCII as it is. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** 32 of 62 characters are 190 bits. */
const LENGTH = 32
const SALT_BYTES = 16
const KEY_BYTES = 32

export function newPassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/**
 * A password's SCRAM-SHA-256 verifier, which both servers take in place of the password: nobody can log in with it.
 * @param password of ASCII characters, which need no SASLprep.
 * @param iterations as the server's own default has it; more make each login slower.
 * @see https://www.rfc-editor.org/rfc/rfc5803 https://www.postgresql.org/docs/current/catalog-pg-authid.html
 */
export async function scramVerifier(
  password: string,
  iterations: number,
  salt: Buffer = randomBytes(SALT_BYTES),
): Promise<string> {
  const salted = await promisify(pbkdf2)(password, salt, iterations, KEY_BYTES, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64')
  const serverKey = hmac(salted, 'Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
