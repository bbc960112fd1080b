/** The sample stack: a secret, the layer, and a function that tells whether they reach the database. */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as logs from 'aws-cdk-lib/aws-logs'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { builtPath } from './built-files.ts'
import { CockroachDatabase, type CockroachDatabaseProps } from './cockroach-database.ts'
import { CockroachLayer } from './cockroach-layer.ts'

export interface HealthCheckStackProps
  extends StackProps,
    Pick<CockroachDatabaseProps, 'host' | 'port' | 'database' | 'user' | 'cluster' | 'clusterRouting'> {
  /**
   * The name of a secret that exists.
   * @default a new secret, empty, which outlives the stack
   */
  readonly secretName?: string
  /**
   * Your own cluster's CA: PEM text, or the path of a PEM file.
   * @default the roots of CockroachDB Cloud's Basic and Standard plans
   */
  readonly rootCertificate?: string
}

/** Deploy it with `npx cdk deploy`; its outputs say what to type next. */
export class HealthCheckStack extends Stack {
  readonly secret: secretsmanager.ISecret
  readonly layer: CockroachLayer
  readonly database: CockroachDatabase
  readonly healthCheck: lambda.Function

  constructor(scope: Construct, id: string, props: HealthCheckStackProps = {}) {
    const { secretName, rootCertificate, host, port, database, user, cluster, clusterRouting, ...stackProps } = props
    super(scope, id, { description: 'cockroach-lambda: health check of a database connection', ...stackProps })
    Tags.of(this).add('application', 'cockroach-lambda')

    this.secret =
      secretName === undefined ? newSecret(this) : secretsmanager.Secret.fromSecretNameV2(this, 'Secret', secretName)
    this.layer = new CockroachLayer(this, 'Layer', definedOnly({ rootCertificate }))
    this.database = new CockroachDatabase(this, 'Database', {
      secret: this.secret,
      layer: this.layer,
      ...definedOnly({ host, port, database, user, cluster, clusterRouting }),
    })
    this.healthCheck = healthCheckFunction(this)
    this.database.connect(this.healthCheck)
    const url = this.healthCheck.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM })
    this.#addOutputs(url.url)
  }

  #addOutputs(url: string): void {
    const secretId = this.secret.secretFullArn ?? this.secret.secretName
    const name = this.healthCheck.functionName
    const outputs: Readonly<Record<string, readonly [description: string, value: string]>> = {
      FillSecret: [
        '1. Put the connection string from the Cloud console into secret.txt, type this, delete the file',
        `aws secretsmanager put-secret-value --region ${this.region} --secret-id ${secretId} --secret-string file://secret.txt`,
      ],
      CheckHealth: [
        '2. Ask the function whether it reaches the database',
        `aws lambda invoke --region ${this.region} --function-name ${name} /dev/stdout`,
      ],
      CheckHealthOverHttp: [
        'The same over its URL, signed',
        `curl --aws-sigv4 aws:amz:${this.region}:lambda --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" ${url}`,
      ],
      AttachLayer: [
        'The layer in a function of your own (put its name in place of MY_FUNCTION; this replaces its other layers)',
        `aws lambda update-function-configuration --region ${this.region} --function-name MY_FUNCTION --layers ${this.layer.layerVersionArn}`,
      ],
    }
    for (const [id, [description, value]] of Object.entries(outputs)) new CfnOutput(this, id, { description, value })
  }
}

/** Empty on purpose: a generated value would look like a password that the database does not know. */
function newSecret(scope: Construct): secretsmanager.ISecret {
  const secret = new secretsmanager.CfnSecret(scope, 'EmptySecret', {
    description: 'Connection string of the database; read by cockroach-lambda',
  })
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN)
  return secretsmanager.Secret.fromSecretCompleteArn(scope, 'Secret', secret.ref)
}

function healthCheckFunction(scope: Construct): lambda.Function {
  const logGroup = new logs.LogGroup(scope, 'HealthCheckLogs', {
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  // A role of its own: the managed one may write every log group of the account.
  const role = new iam.Role(scope, 'HealthCheckRole', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })
  logGroup.grantWrite(role)
  return new lambda.Function(scope, 'HealthCheck', {
    description: 'Tells whether the database can be reached',
    code: lambda.Code.fromAsset(builtPath('health-check')),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    memorySize: 512,
    timeout: Duration.seconds(30),
    tracing: lambda.Tracing.ACTIVE,
    loggingFormat: lambda.LoggingFormat.JSON,
    logGroup,
    role,
  })
}

/** The record without its undefined values, for props that may be absent but not undefined. */
function definedOnly<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never
}
