/** What `cockroach-lambda/cdk` exports. */
export { CockroachDatabase, type CockroachDatabaseProps } from './cockroach-database.ts'
export { CockroachLayer, type CockroachLayerProps } from './cockroach-layer.ts'
export { HealthCheckStack, type HealthCheckStackProps } from './health-check-stack.ts'
