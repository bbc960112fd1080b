import { createSecureContext, rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { isLocalHost, requireVerifyFull, tlsOptions } from '../../../src/connection/tls.ts'

const ROOTS = rootCertificates.slice(0, 2)
const SecureContext = createSecureContext().constructor
const HOST = 'db.example.com'

describe('isLocalHost', () => {
  test.each([
    ['/var/run/postgresql', true],
    ['localhost', true],
    ['db.localhost', true],
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['127.0.0.1.example.com', false],
    ['127.example.com', false],
    ['localhost.example.com', false],
    ['notlocalhost', false],
    ['10.0.0.1', false],
    ['0.0.0.0', false],
    ['', false],
  ])('%s: %s', (host, expected) => {
    expect(isLocalHost(host)).toBe(expected)
  })
})

describe('sslmode', () => {
  test.each([undefined, 'verify-full'] as const)('%s is verify-full', (sslmode) => {
    expect(requireVerifyFull(sslmode, HOST)).toEqual({ sslmode: 'verify-full', warnings: [] })
  })

  test.each(['allow', 'prefer', 'require', 'verify-ca'] as const)(
    '%s is raised to verify-full with one warning',
    (sslmode) => {
      const expected = {
        sslmode: 'verify-full',
        warnings: [`sslmode=${sslmode} is raised to verify-full: chain and host name are always verified`],
      }
      expect(requireVerifyFull(sslmode, HOST)).toEqual(expected)
      expect(requireVerifyFull(sslmode, '127.0.0.1')).toEqual(expected)
    },
  )

  test.each(['localhost', '127.0.0.1', '::1', '/var/run/postgresql'])('disable is accepted for %s', (host) => {
    expect(requireVerifyFull('disable', host)).toEqual({ sslmode: 'disable', warnings: [] })
  })

  test.each([HOST, '10.0.0.1', 'cozy-otter-4821.7tt.aws-eu-west-1.cockroachlabs.cloud', '127.0.0.1.example.com'])(
    'disable is refused for %s',
    (host) => {
      expect(() => requireVerifyFull('disable', host)).toThrow(
        expect.objectContaining({
          code: 'ERR_TLS',
          message: `sslmode=disable would send everything to ${host} in clear text`,
        }),
      )
    },
  )

  test('a Unix socket has no TLS, whatever the mode', () => {
    expect(requireVerifyFull('verify-full', '/tmp')).toEqual({ sslmode: 'disable', warnings: [] })
  })
})

describe('tlsOptions', () => {
  test('verify-full states what NODE_TLS_REJECT_UNAUTHORIZED could turn off', () => {
    expect(tlsOptions('verify-full', ROOTS)).toMatchObject({
      ca: ROOTS,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    })
  })

  test('connections with the same roots share a context, others do not', () => {
    const contextOf = (ca: readonly string[]) => Object(tlsOptions('verify-full', ca)).secureContext
    expect(contextOf(ROOTS)).toBeInstanceOf(SecureContext)
    expect(contextOf(ROOTS)).toBe(contextOf(ROOTS))
    expect(contextOf([...ROOTS])).not.toBe(contextOf(ROOTS))
  })

  test('without a root certificate there is no ca, so that Node takes its own', () => {
    expect(tlsOptions('verify-full', undefined)).toStrictEqual({ rejectUnauthorized: true, minVersion: 'TLSv1.2' })
  })

  test('disable is no TLS', () => {
    expect(tlsOptions('disable', ['PEM'])).toBe(false)
  })
})
