/** The operations of the Secrets Manager stand-in: a request's members in, a response's members out. */
import { randomUUID } from 'node:crypto'
import { SecretsManagerError } from './errors.ts'
import {
  AWSCURRENT,
  AWSPENDING,
  type Secret,
  type SecretStore,
  type SecretValue,
  type SecretVersion,
  valueNotFound,
} from './store.ts'

/** The members of a JSON request. */
export type Request = Readonly<Record<string, unknown>>
type Response = Readonly<Record<string, unknown>>

type Operation = (store: SecretStore, request: Request) => Response

/** The operation of `X-Amz-Target: secretsmanager.<operation>`. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries<Operation>({
    CreateSecret(store, request) {
      const value = secretValue(request)
      const secret = store.add(requiredText(request, 'Name'))
      const version = value === undefined ? undefined : secret.put(value, { token: clientRequestToken(request) })
      return { ARN: secret.ARN, Name: secret.Name, ...(version && { VersionId: version.VersionId }) }
    },

    DescribeSecret(store, request) {
      const secret = find(store, request, 'DescribeSecret')
      const labelled = [...secret.versions.values()].filter(({ stages }) => stages.size > 0)
      return {
        ARN: secret.ARN,
        Name: secret.Name,
        CreatedDate: epochSeconds(secret.createdAt),
        LastChangedDate: epochSeconds(secret.changedAt),
        ...(secret.rotation && {
          RotationEnabled: true,
          RotationLambdaARN: secret.rotation.functionArn,
          RotationRules: secret.rotation.rules,
        }),
        ...(secret.rotatedAt && { LastRotatedDate: epochSeconds(secret.rotatedAt) }),
        ...(secret.deletedAt && { DeletedDate: epochSeconds(secret.deletedAt) }),
        ...(labelled.length > 0 && {
          VersionIdsToStages: Object.fromEntries(labelled.map(({ VersionId, stages }) => [VersionId, [...stages]])),
        }),
      }
    },

    GetSecretValue(store, request) {
      const secret = findUndeleted(store, request, 'GetSecretValue')
      const version = secret.find({
        VersionId: text(request, 'VersionId'),
        VersionStage: text(request, 'VersionStage'),
      })
      if (version.value === undefined) throw valueNotFound(`VersionId: ${version.VersionId}`)
      return {
        ...identity(secret, version),
        CreatedDate: epochSeconds(version.createdAt),
        ...(typeof version.value === 'string'
          ? { SecretString: version.value }
          : { SecretBinary: version.value.toString('base64') }),
      }
    },

    PutSecretValue(store, request) {
      const secret = findUndeleted(store, request, 'PutSecretValue')
      const value = secretValue(request)
      if (value === undefined) {
        throw new SecretsManagerError(
          'InvalidRequestException',
          'You must provide either SecretString or SecretBinary.',
        )
      }
      return identity(secret, secret.put(value, { token: clientRequestToken(request), stages: texts(request) }))
    },

    RotateSecret(store, request) {
      const secret = findUndeleted(store, request, 'RotateSecret')
      const functionArn = text(request, 'RotationLambdaARN') ?? secret.rotation?.functionArn
      if (functionArn === undefined) {
        throw new SecretsManagerError(
          'InvalidRequestException',
          'No Lambda rotation function ARN is associated with this secret.',
        )
      }
      secret.rotation = { functionArn, rules: request.RotationRules ?? secret.rotation?.rules ?? {} }
      const pending = secret.holder(AWSPENDING)
      if (pending !== undefined && !pending.stages.has(AWSCURRENT)) {
        store.rotations.begin(secret, functionArn, pending.VersionId)
        throw new SecretsManagerError(
          'InvalidRequestException',
          "A previous rotation isn't complete. That rotation will be reattempted.",
        )
      }
      const { VersionId } = secret.addPending(clientRequestToken(request) ?? randomUUID())
      if (request.RotateImmediately === false) store.rotations.tryOut(secret, functionArn, VersionId)
      else store.rotations.begin(secret, functionArn, VersionId)
      return { ARN: secret.ARN, Name: secret.Name, VersionId }
    },

    UpdateSecretVersionStage(store, request) {
      const secret = findUndeleted(store, request, 'UpdateSecretVersionStage')
      const stage = requiredText(request, 'VersionStage')
      const moveTo = text(request, 'MoveToVersionId')
      const removeFrom = text(request, 'RemoveFromVersionId')
      const to = moveTo === undefined ? undefined : secret.find({ VersionId: moveTo })
      const from = secret.holder(stage)
      if (removeFrom === undefined && from !== undefined && from !== to) {
        throw new SecretsManagerError(
          'InvalidParameterException',
          `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${from.VersionId}, so you must explicitly reference that version in RemoveFromVersionId.`,
        )
      }
      if (removeFrom !== undefined && from?.VersionId !== removeFrom) {
        throw new SecretsManagerError(
          'InvalidParameterException',
          `The version ${removeFrom} does not have the staging label ${stage}.`,
        )
      }
      if (stage === AWSCURRENT && to === undefined) {
        throw new SecretsManagerError(
          'InvalidParameterException',
          'You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.',
        )
      }
      secret.moveStage(stage, to)
      return { ARN: secret.ARN, Name: secret.Name }
    },
  }),
)

function find(store: SecretStore, request: Request, operation: string): Secret {
  const secretId = requiredText(request, 'SecretId')
  const secret = store.find(secretId)
  if (secret?.denied) {
    throw new SecretsManagerError(
      'AccessDeniedException',
      `User: arn:aws:sts::123456789012:assumed-role/local-role/local-function is not authorized to perform: secretsmanager:${operation} on resource: ${secretId} because no identity-based policy allows the secretsmanager:${operation} action`,
    )
  }
  if (secret === undefined) throw new SecretsManagerError('ResourceNotFoundException')
  return secret
}

function findUndeleted(store: SecretStore, request: Request, operation: string): Secret {
  const secret = find(store, request, operation)
  if (secret.deletedAt === undefined) return secret
  throw new SecretsManagerError(
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  )
}

function identity(secret: Secret, { VersionId, stages }: SecretVersion): Response {
  return { ARN: secret.ARN, Name: secret.Name, VersionId, VersionStages: [...stages] }
}

function secretValue(request: Request): SecretValue | undefined {
  const string = text(request, 'SecretString')
  const binary = text(request, 'SecretBinary')
  if (string !== undefined && binary !== undefined) {
    throw new SecretsManagerError(
      'InvalidParameterException',
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    )
  }
  return binary === undefined ? string : Buffer.from(binary, 'base64')
}

function clientRequestToken(request: Request): string | undefined {
  const token = text(request, 'ClientRequestToken')
  if (token !== undefined && (token.length < 32 || token.length > 64)) {
    throw new SecretsManagerError('InvalidParameterException', 'ClientRequestToken must be 32-64 characters long.')
  }
  return token
}

function requiredText(request: Request, member: string): string {
  const value = text(request, member)
  if (value !== undefined && value !== '') return value
  throw new SecretsManagerError(
    'ValidationException',
    `1 validation error detected: Value ${value === undefined ? 'null' : "''"} at '${member[0]?.toLowerCase()}${member.slice(1)}' failed to satisfy constraint: Member must not be ${value === undefined ? 'null' : 'empty'}`,
  )
}

function text(request: Request, member: string): string | undefined {
  const value = request[member] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw new SecretsManagerError('SerializationException', `${member} is not a string.`)
}

function texts(request: Request): readonly string[] | undefined {
  const value = request.VersionStages ?? undefined
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((stage) => typeof stage === 'string')) return value
  throw new SecretsManagerError('SerializationException', 'VersionStages is not a list of strings.')
}

function epochSeconds(date: Date): number {
  return date.getTime() / 1000
}
