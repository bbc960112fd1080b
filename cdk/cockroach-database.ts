/** A database outside AWS, for the CDK: its secret, the layer, and what a function needs to connect. */
import type { Duration } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import type * as kms from 'aws-cdk-lib/aws-kms'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct, type IConstruct } from 'constructs'
import {
  COCKROACH_AUTH,
  COCKROACH_CLUSTER,
  COCKROACH_CLUSTER_ROUTING,
  COCKROACH_JWT_AUDIENCE,
  COCKROACH_MAX_CONNECTIONS,
  COCKROACH_SECRET_ID,
  COCKROACH_SECRET_KEY,
  COCKROACH_SECRET_TTL_SECONDS,
} from '../src/base/environment-variables.ts'
import type { ClusterRouting } from '../src/routing/cluster-routing.ts'
import { CockroachSecretRotation, type CockroachSecretRotationOptions } from './cockroach-secret-rotation.ts'
import { connectable } from './connectable-function.ts'
import { FunctionLayers } from './function-layers.ts'
import { grantSecretRead, secretIdFor } from './secret-access.ts'
import { clusterStatements, grantToken, type TokenLogin } from './token-login.ts'

/** Where the layer puts the root certificate in a function. */
const ROOT_CERTIFICATE_PATH = '/opt/certs/root.crt'
/** What makes libpq, and the clients over it, verify the server in full. */
const LIBPQ_VARIABLES = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: ROOT_CERTIFICATE_PATH }

/** The database that a function's variables name; they can name only one. */
const connectedDatabases = new WeakMap<lambda.Function, CockroachDatabase>()

/**
 * Nothing here is secret: passwords belong in `secret`. A value in the secret takes precedence over the prop for it. Either
 * `secret` or `auth` is needed, and not both.
 */
export interface CockroachDatabaseProps {
  /**
   * Contains a connection string, or JSON with its fields.
   * @default none, with `auth`
   */
  readonly secret?: ISecret
  /**
   * Logs in without a secret: `jwt` by a token that STS makes for the function's role, which CockroachDB admits. It needs
   * `host` and `user`.
   * @default the password in the secret
   */
  readonly auth?: 'jwt'
  /**
   * Whom the tokens of `auth` are for: one of the cluster setting `server.jwt_authentication.audience`.
   * @default `host`
   */
  readonly jwtAudience?: string
  /**
   * The customer managed key of the secret, needed where the secret was imported without it, for example by name. The
   * policy of a key in another account must allow this account as well.
   * @default the secret's `encryptionKey`
   */
  readonly encryptionKey?: kms.IKey
  /**
   * The key of a JSON secret that contains the connection string; nothing else of the secret is read then.
   * @default the usual names are tried, such as DATABASE_URL
   */
  readonly secretKey?: string
  /**
   * How long a function keeps the secret before a new connection reads it again. A refused password is reason enough to
   * read it at once.
   * @default Duration.minutes(5)
   */
  readonly secretTtl?: Duration
  /**
   * The layer to attach. That of another stack is best passed by its ARN, in an SSM parameter: CloudFormation does not
   * replace a layer whose ARN another stack imports.
   * @default a new CockroachLayer in each stack that has functions
   */
  readonly layer?: lambda.ILayerVersion
  /**
   * The server's name. With `user` and `database`, the function opens TLS while it reads the secret.
   * @default the secret's
   */
  readonly host?: string
  /**
   * The server's port.
   * @default the secret's, else 26257, or 5432 for a server that is not CockroachDB Cloud
   */
  readonly port?: number
  /**
   * The database's name, without a cluster identifier.
   * @default the secret's, else defaultdb, or the user's name for a server that is not CockroachDB Cloud
   */
  readonly database?: string
  /**
   * The SQL user.
   * @default the secret's
   */
  readonly user?: string
  /**
   * CockroachDB Cloud's cluster identifier, `<name>-<tenant id>`: needed only where the host name does not begin with it.
   * @default from the host name
   */
  readonly cluster?: string
  /**
   * How the cluster identifier is sent: `database` before the database name, `sni` in TLS with the host name, `options` in the
   * server's options.
   * @default 'database'
   */
  readonly clusterRouting?: ClusterRouting
  /**
   * The name of the session at the server, as `SHOW SESSIONS` has it.
   * @default the function's name
   */
  readonly applicationName?: string
  /**
   * How long one connection attempt may take; all attempts together take 5 s at most.
   * @default Duration.seconds(5)
   */
  readonly connectTimeout?: Duration
  /**
   * Connections in one execution environment, which runs one invocation at a time.
   * @default 1, or more on Lambda Managed Instances
   */
  readonly maxConnections?: number
}

/** Connects functions to one database. */
export class CockroachDatabase extends Construct {
  readonly layer: lambda.ILayerVersion
  readonly #props: CockroachDatabaseProps
  readonly #layers: FunctionLayers

  constructor(scope: Construct, id: string, props: CockroachDatabaseProps) {
    super(scope, id)
    if ((props.secret === undefined) === (props.auth === undefined)) {
      throw new Error(`${this.node.path} needs either secret or auth, and not both`)
    }
    if (props.auth !== undefined && props.auth !== 'jwt') {
      throw new Error(`${this.node.path} has auth ${JSON.stringify(props.auth)}; expected 'jwt'`)
    }
    if (props.auth !== undefined && (props.host === undefined || props.user === undefined)) {
      throw new Error(`${this.node.path} has auth ${props.auth}, which needs host and user`)
    }
    this.#layers = new FunctionLayers(this, props.layer)
    this.layer = this.#layers.layer
    this.#props = props
  }

  /** @throws Error when there is none, with `auth` */
  get secret(): ISecret {
    const { secret } = this.#props
    if (secret === undefined) throw new Error(`${this.node.path} has no secret: functions log in by a token`)
    return secret
  }

  get #tokenLogin(): TokenLogin | undefined {
    const { auth, host = '', user = '', jwtAudience: audience = host } = this.#props
    return auth === undefined ? undefined : { host, user, audience }
  }

  /**
   * Attaches the layer, sets the variables, and lets the function read this one secret, or ask for tokens; a second call for the same function
   * does nothing. A function in another language than JavaScript gets libpq's `PGSSLMODE` and `PGSSLROOTCERT` too.
   *
   * A bundle must not contain the library, since the layer does: `new NodejsFunction(…, { bundling: { externalModules: CockroachLayer.externalModules } })`.
   * @param given a function made by this app; for a singleton, the function that all with its uuid share is connected.
   * @throws Error for a function of another database, an alias, a version, an imported function, a container image, a
   * function of Lambda@Edge, a Node runtime before nodejs22.x, and a bundle that contains the library.
   */
  connect(given: lambda.Function | lambda.SingletonFunction): void {
    const fn = connectable(given)
    const connected = connectedDatabases.get(fn)
    if (connected === this) return
    if (connected !== undefined) {
      throw new Error(
        `${fn.node.path} is connected to ${connected.node.path}, and its variables name one database: for ${this.node.path}, call grantRead(fn) instead, and createDatabase({ secretId }) in the function`,
      )
    }
    const variables = { ...this.#variables(fn), ...(isNode(fn) ? {} : LIBPQ_VARIABLES) }
    connectedDatabases.set(fn, this)
    fn.addLayers(this.#layers.layerFor(fn))
    for (const [name, value] of Object.entries(variables)) fn.addEnvironment(name, value)
    if (this.#tokenLogin === undefined) this.grantRead(fn)
    else grantToken(fn, this.#tokenLogin.audience)
  }

  /**
   * With `auth`: the SQL to run once on the cluster, so that it admits the function's role as `user`. It overwrites nothing,
   * and says what to add to which setting; ISSUER stands for the account's issuer.
   * @throws Error without `auth`, and for a function without a role
   */
  clusterStatements({ role, node }: lambda.IFunction): string {
    if (this.#tokenLogin === undefined) throw new Error(`${this.node.path} has no auth: functions log in by a password`)
    if (role === undefined) throw new Error(`${node.path} has no role that is known here`)
    return clusterStatements(this.#tokenLogin, role.roleArn)
  }

  /** Lets `grantee` read the secret, and decrypt it where it is encrypted with a customer managed key. */
  grantRead(grantee: iam.IGrantable): void {
    grantSecretRead(this.secret, this.#props.encryptionKey ?? this.secret.encryptionKey, grantee)
  }

  /**
   * Rotates the password in the secret, and at the database.
   * @param options how often, and who changes the password
   * @throws Error for a database without a secret, and for a second call: a secret has one rotation.
   */
  rotate(options: CockroachSecretRotationOptions = {}): CockroachSecretRotation {
    const { secret, layer } = this
    const { encryptionKey } = this.#props
    const { [COCKROACH_SECRET_ID]: _, ...environment } = this.#variables(this)
    return new CockroachSecretRotation(this, 'Rotation', {
      ...{ ...options, secret, layer, environment },
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
    })
  }

  #variables(reader: IConstruct): Readonly<Record<string, string>> {
    const props = this.#props
    const values: Record<string, string | undefined> = {
      [COCKROACH_SECRET_ID]: props.secret && secretIdFor(props.secret, reader),
      [COCKROACH_AUTH]: props.auth,
      [COCKROACH_JWT_AUDIENCE]: props.jwtAudience,
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
}

function isNode({ runtime }: lambda.Function): boolean {
  return runtime.family === lambda.RuntimeFamily.NODEJS
}
