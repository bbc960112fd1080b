/** The errors that Secrets Manager answers with: their types, statuses and words. */

const STATUS_AND_MESSAGE = {
  AccessDeniedException: [400, 'Access to KMS is not allowed'],
  DecryptionFailure: [400, "Secrets Manager can't decrypt the protected secret text using the provided KMS key."],
  ExpiredTokenException: [400, 'The security token included in the request is expired'],
  InternalServiceError: [500, 'An error occurred on the server side.'],
  InvalidParameterException: [400, 'The parameter name or value is invalid.'],
  InvalidRequestException: [400, 'A parameter value is not valid for the current state of the resource.'],
  InvalidSignatureException: [400, "Credential should be scoped to correct service: 'secretsmanager'."],
  IncompleteSignatureException: [400, 'Authorization header is not complete.'],
  MissingAuthenticationTokenException: [400, 'Missing Authentication Token'],
  ResourceExistsException: [400, 'A resource with the ID you requested already exists.'],
  ResourceNotFoundException: [400, "Secrets Manager can't find the specified secret."],
  SerializationException: [400, 'The request body is not a JSON object.'],
  ThrottlingException: [400, 'Rate exceeded'],
  UnknownOperationException: [400, ''],
  UnrecognizedClientException: [400, 'The security token included in the request is invalid.'],
  ValidationException: [400, '1 validation error detected'],
} as const satisfies Record<string, readonly [status: number, message: string]>

export type SecretsManagerErrorType = keyof typeof STATUS_AND_MESSAGE

/** One error answer, `{"__type": type, "Message": message}` on the wire. */
export class SecretsManagerError extends Error {
  override readonly name = 'SecretsManagerError'
  readonly type: SecretsManagerErrorType

  constructor(type: SecretsManagerErrorType, message: string = STATUS_AND_MESSAGE[type][1]) {
    super(message)
    this.type = type
  }

  /** The HTTP status. */
  get status(): number {
    return STATUS_AND_MESSAGE[this.type][0]
  }
}
