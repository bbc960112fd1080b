import { expect, test } from 'vitest'
import { newPassword, scramVerifier } from '../../../cdk/rotation/password.ts'

test('a new password has 32 letters and digits, which no URL escapes', () => {
  const passwords = Array.from({ length: 200 }, newPassword)
  for (const password of passwords) {
    expect(password).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(encodeURIComponent(password)).toBe(password)
  }
  expect(new Set(passwords).size).toBe(passwords.length)
  expect(new Set(passwords.join('')).size).toBe(62)
})

test('the verifier of a password and a salt is that of RFC 7677', async () => {
  // RFC 7677, section 3, gives salt and count for the password "pencil", and ServerSignature, which this ServerKey signs.
  const verifier = await scramVerifier('pencil', 4096, Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'))
  expect(verifier).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  )
})

test('a verifier has a salt of its own each time', async () => {
  expect(await scramVerifier('pencil', 4096)).not.toBe(await scramVerifier('pencil', 4096))
})
