/** A database that lives outside AWS, as CDK sees it: a secret, a layer, and what a function needs to be connected. */
import type { Duration } from 'aws-cdk-lib'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import {
  COCKROACH_CLUSTER,
  COCKROACH_CLUSTER_ROUTING,
  COCKROACH_MAX_CONNECTIONS,
  COCKROACH_SECRET_ID,
  COCKROACH_SECRET_KEY,
  COCKROACH_SECRET_TTL_SECONDS,
} from '../src/base/environment-variables.ts'
import type { ClusterRouting } from '../src/routing/cluster-routing.ts'
import { CockroachLayer } from './cockroach-layer.ts'

/** Where the layer puts the root certificate in a function. */
const ROOT_CERTIFICATE_PATH = '/opt/certs/root.crt'

/** Nothing here is secret: passwords belong in `secret`. What the secret says as well, wins. */
export interface CockroachDatabaseProps {
  /** Holds a connection string, or JSON with its parts. */
  readonly secret: ISecret
  /**
   * The key of a JSON secret that holds the connection string.
   * @default the usual names are tried
   */
  readonly secretKey?: string
  /**
   * How long a function keeps the secret before a new connection reads it again.
   * @default the library's
   */
  readonly secretTtl?: Duration
  /** @default a new CockroachLayer */
  readonly layer?: lambda.ILayerVersion
  /** @default the secret's */
  readonly host?: string
  /** @default the secret's, else 26257 */
  readonly port?: number
  /** @default the secret's, else defaultdb */
  readonly database?: string
  /** @default the secret's */
  readonly user?: string
  /**
   * CockroachDB Cloud's cluster identifier, `<name>-<tenant id>`: needed only where the host name does not begin with it.
   * @default from the host name
   */
  readonly cluster?: string
  /**
   * Where the cluster identifier goes.
   * @default 'database'
   */
  readonly clusterRouting?: ClusterRouting
  /**
   * What the server lists the session as.
   * @default the library's
   */
  readonly applicationName?: string
  /**
   * How long one connection attempt may take.
   * @default Duration.seconds(5)
   */
  readonly connectTimeout?: Duration
  /**
   * Connections in one execution environment.
   * @default 1
   */
  readonly maxConnections?: number
}

/** Connects functions to one database. */
export class CockroachDatabase extends Construct {
  readonly secret: ISecret
  readonly layer: lambda.ILayerVersion
  readonly #environment: Readonly<Record<string, string>>
  #anyRuntimeLayer: lambda.ILayerVersion | undefined

  constructor(scope: Construct, id: string, props: CockroachDatabaseProps) {
    super(scope, id)
    this.secret = props.secret
    this.layer = props.layer ?? new CockroachLayer(this, 'Layer')
    this.#environment = environmentOf(props)
  }

  /**
   * Attaches the layer, sets the variables, and lets the function read this one secret.
   * In any language: a function that does not run on Node gets libpq's `PGSSLMODE` and `PGSSLROOTCERT` as well.
   * @throws Error for a container image, which takes no layers.
   */
  connect(fn: lambda.Function): void {
    if (fn.runtime === lambda.Runtime.FROM_IMAGE) {
      throw new Error(
        `${fn.node.path} is a container image, which takes no layers: install cockroach-lambda in the image, grant it the secret with secret.grantRead(fn), and set ${COCKROACH_SECRET_ID}`,
      )
    }
    const isNode = fn.runtime.family === lambda.RuntimeFamily.NODEJS
    fn.addLayers(isNode ? this.layer : this.#layerForAnyRuntime())
    const libpq = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: ROOT_CERTIFICATE_PATH }
    for (const [name, value] of Object.entries({ ...this.#environment, ...(isNode ? {} : libpq) })) {
      fn.addEnvironment(name, value)
    }
    this.secret.grantRead(fn)
  }

  /** The layer's runtimes list is for consoles; Lambda attaches it to any function, the CDK only to those listed. */
  #layerForAnyRuntime(): lambda.ILayerVersion {
    this.#anyRuntimeLayer ??= lambda.LayerVersion.fromLayerVersionArn(
      this,
      'LayerForAnyRuntime',
      this.layer.layerVersionArn,
    )
    return this.#anyRuntimeLayer
  }
}

function environmentOf(props: CockroachDatabaseProps): Readonly<Record<string, string>> {
  const { secret } = props
  const values: Record<string, string | undefined> = {
    // An ARN without its random suffix is refused for some names; the bare name never is.
    [COCKROACH_SECRET_ID]: secret.secretFullArn ?? secret.secretName,
    [COCKROACH_SECRET_KEY]: props.secretKey,
    [COCKROACH_SECRET_TTL_SECONDS]: props.secretTtl?.toSeconds().toString(),
    [COCKROACH_CLUSTER]: props.cluster,
    [COCKROACH_CLUSTER_ROUTING]: props.clusterRouting,
    [COCKROACH_MAX_CONNECTIONS]: props.maxConnections?.toString(),
    PGHOST: props.host,
    PGPORT: props.port?.toString(),
    PGDATABASE: props.database,
    PGUSER: props.user,
    PGAPPNAME: props.applicationName,
    PGCONNECT_TIMEOUT: props.connectTimeout?.toSeconds().toString(),
  }
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
