/** The errors that STS answers with: their codes, statuses and words. */

const STATUS_AND_MESSAGE = {
  AccessDenied: [
    403,
    'User: arn:aws:sts::123456789012:assumed-role/local-role/local-function is not authorized to perform: sts:GetWebIdentityToken because no identity-based policy allows the sts:GetWebIdentityToken action',
  ],
  ExpiredToken: [403, 'The security token included in the request is expired'],
  IncompleteSignature: [400, 'Request must contain a signature that conforms to AWS standards'],
  InternalFailure: [500, 'The request processing has failed because of an unknown error, exception or failure.'],
  InvalidAction: [400, 'Could not find operation'],
  InvalidClientTokenId: [403, 'The security token included in the request is invalid.'],
  JWTPayloadSizeExceeded: [400, 'The requested token payload size exceeds the maximum allowed size.'],
  MissingAuthenticationToken: [403, 'Request is missing Authentication Token'],
  OutboundWebIdentityFederationDisabled: [403, 'Outbound web identity federation is not enabled for this account'],
  ServiceUnavailable: [503, 'The request has failed due to a temporary failure of the server.'],
  SessionDurationEscalation: [
    403,
    'The requested token duration would extend the session beyond its original expiration time.',
  ],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
  ],
  Throttling: [400, 'Rate exceeded'],
  ValidationError: [400, '1 validation error detected'],
} as const satisfies Record<string, readonly [status: number, message: string]>

export type StsErrorCode = keyof typeof STATUS_AND_MESSAGE

export class StsError extends Error {
  override readonly name = 'StsError'
  readonly code: StsErrorCode

  constructor(code: StsErrorCode, message: string = STATUS_AND_MESSAGE[code][1]) {
    super(message)
    this.code = code
  }

  /** The HTTP status. */
  get status(): number {
    return STATUS_AND_MESSAGE[this.code][0]
  }
}
