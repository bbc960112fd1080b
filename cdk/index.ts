/** What `cockroach-lambda/cdk` exports. */
export { CockroachDatabase, type CockroachDatabaseProps } from './cockroach-database.ts'
export { CockroachLayer, type CockroachLayerProps } from './cockroach-layer.ts'
export {
  CockroachSecretRotation,
  type CockroachSecretRotationOptions,
  type CockroachSecretRotationProps,
} from './cockroach-secret-rotation.ts'
export { HealthCheckStack, type HealthCheckStackProps } from './health-check-stack.ts'
