/** The sample stack: a secret, the layer, and a function that checks whether the database can be reached with them. */
import { Duration, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib'
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { notifyTopic } from './alarm-topic.ts'
import { builtPath } from './built-files.ts'
import { CockroachDatabase, type CockroachDatabaseProps } from './cockroach-database.ts'
import { CockroachLayer } from './cockroach-layer.ts'
import { addDashboard } from './health-check-dashboard.ts'
import { addSchedule } from './health-check-schedule.ts'
import { existingVpc, type HealthCheckVpc, newVpc } from './health-check-vpc.ts'
import { addNextSteps, type NextStep } from './next-steps.ts'
import { packagedFunction } from './packaged-function.ts'
import { ISSUER_COMMAND } from './token-login.ts'

export interface HealthCheckStackProps
  extends StackProps,
    Pick<
      CockroachDatabaseProps,
      'auth' | 'jwtAudience' | 'host' | 'port' | 'database' | 'user' | 'cluster' | 'clusterRouting'
    > {
  /**
   * The name of a secret that exists.
   * @default a new secret, empty, which outlives the stack; none with `auth`
   */
  readonly secretName?: string
  /**
   * Your own cluster's CA: PEM text, or the path of a PEM file.
   * @default the roots of CockroachDB Cloud's Basic and Standard plans
   */
  readonly rootCertificate?: string
  /**
   * A new VPC, from which the function connects with one fixed address, for the Cloud's IP allowlist.
   * @default false
   */
  readonly vpc?: boolean
  /**
   * An existing VPC to put the function into; needs `env` with account and region.
   * @default none
   */
  readonly vpcId?: string
  /**
   * When the health check runs by itself, with an alarm on its failures: `rate(5 minutes)` or `cron(0/15 * * * ? *)`.
   * @default never
   */
  readonly schedule?: string
  /**
   * The SNS topic to which the alarm of `schedule` publishes when it is raised, and when it is over; in the stack's region.
   * @default none
   */
  readonly alarmTopicArn?: string
  /**
   * Whether the function writes the library's CloudWatch metrics, with a dashboard that draws them.
   * @default false
   */
  readonly dashboard?: boolean
  /**
   * How many days a password is used before the secret is rotated: 1 to 1000. Needs `secretName`, since an empty secret
   * cannot be rotated.
   * @default never rotated
   */
  readonly rotateAfterDays?: number
}

/** Deploy it with `npx cdk deploy`; its outputs are the next commands to type. */
export class HealthCheckStack extends Stack {
  /** Undefined with `auth`. */
  readonly secret: secretsmanager.ISecret | undefined
  readonly layer: CockroachLayer
  readonly database: CockroachDatabase
  readonly healthCheck: lambda.Function
  /** With `schedule` only; publishes to the topic of `alarmTopicArn`, and has no other action. */
  readonly alarm: cloudwatch.Alarm | undefined

  constructor(scope: Construct, id: string, props: HealthCheckStackProps = {}) {
    const { secretName, rootCertificate, vpc, vpcId, schedule, alarmTopicArn, dashboard, rotateAfterDays, ...rest } =
      props
    const { auth, jwtAudience, host, port, database, user, cluster, clusterRouting, ...stackProps } = rest
    super(scope, id, { description: 'cockroach-lambda: health check of a database connection', ...stackProps })
    Tags.of(this).add('application', 'cockroach-lambda')
    if (vpc === true && vpcId !== undefined) {
      throw new Error(`vpc and vpcId ${vpcId} exclude each other: vpc makes a new VPC, and vpcId names one that exists`)
    }
    if (alarmTopicArn !== undefined && schedule === undefined) {
      throw new Error(
        'alarmTopicArn needs an alarm, which only schedule makes: set schedule as well, such as "rate(5 minutes)"',
      )
    }
    if (rotateAfterDays !== undefined && secretName === undefined) {
      throw new Error('rotateAfterDays needs a secret with a value, to rotate it: set secretName as well')
    }

    if (auth !== undefined && secretName !== undefined) {
      throw new Error(`auth ${auth} and secretName ${secretName} exclude each other: with auth there is no secret`)
    }

    this.secret = auth === undefined ? secretOf(this, secretName) : undefined
    this.layer = new CockroachLayer(this, 'Layer', definedOnly({ rootCertificate }))
    this.database = new CockroachDatabase(this, 'Database', {
      layer: this.layer,
      ...definedOnly({ secret: this.secret, auth, jwtAudience }),
      ...definedOnly({ host, port, database, user, cluster, clusterRouting }),
    })
    const network =
      vpc === true
        ? newVpc(this, auth === undefined ? 'SecretsManager' : 'Sts')
        : vpcId === undefined
          ? undefined
          : existingVpc(this, vpcId)
    this.healthCheck = packagedFunction(this, 'HealthCheck', {
      description: 'Checks whether the database can be reached',
      folder: builtPath('health-check'),
      handler: 'index.handler',
      network,
    })
    this.database.connect(this.healthCheck)
    this.alarm = schedule === undefined ? undefined : addSchedule(this, this.healthCheck, schedule)
    if (this.alarm !== undefined && alarmTopicArn !== undefined) notifyTopic(this, this.alarm, alarmTopicArn)
    if (dashboard === true) addDashboard(this, this.healthCheck)
    if (rotateAfterDays !== undefined) {
      this.database.rotate({
        automaticallyAfter: Duration.days(rotateAfterDays),
        ...definedOnly({ vpc: network?.vpc, secretsManagerEndpoint: network?.endpoint }),
      })
    }
    this.#addOutputs(secretName === undefined, network, rotateAfterDays !== undefined)
  }

  /** What has to be done before the first check: fill a new secret, or have the cluster admit the function's role. */
  #loginSteps(isNewSecret: boolean): readonly NextStep[] {
    if (this.secret === undefined) {
      return [
        {
          id: 'ShowIssuerOfAccount',
          description: 'Switch the issuer of the account on, or show it; IssuerIdentifier is ISSUER in the next step',
          value: ISSUER_COMMAND,
        },
        {
          id: 'RunOnClusterAddingToItsSettings',
          description: 'Run this on the cluster, as an admin, and add what the comments say; overwrite nothing',
          value: this.database.clusterStatements(this.healthCheck),
        },
      ]
    }
    if (!isNewSecret) return []
    const secretId = this.secret.secretFullArn ?? this.secret.secretName
    return [
      {
        id: 'PasteConnectionStringOfCloudConsoleThenCtrlD',
        description:
          'Run this, paste the connection string from the Cloud console (Connect), and press Return and Ctrl-D',
        value: '(umask 077; cat > secret.txt)',
      },
      {
        id: 'FillSecret',
        description: 'Run this where secret.txt is; it deletes the file',
        value: `aws secretsmanager put-secret-value --region ${this.region} --secret-id ${secretId} --secret-string file://secret.txt && rm secret.txt`,
      },
    ]
  }

  #addOutputs(isNewSecret: boolean, network: HealthCheckVpc | undefined, isRotated: boolean): void {
    const { region } = this
    const name = this.healthCheck.functionName
    const { url } = this.healthCheck.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM })
    const allowAddress = {
      id: 'AddToIpAllowlistOfCluster',
      description: 'Put this address on the IP allowlist of the cluster (Cloud console, Networking)',
      value: network?.allowlistEntry ?? '',
    }
    const checkHealth = {
      id: 'CheckHealth',
      description: 'Invoke the function, which checks whether it reaches the database',
      value: `aws lambda invoke --region ${region} --function-name ${name} /dev/stdout`,
    }
    addNextSteps(this, {
      necessary: [
        ...(network?.allowlistEntry === undefined ? [] : [allowAddress]),
        ...this.#loginSteps(isNewSecret),
        checkHealth,
      ],
      more: [
        {
          id: 'CheckHealthOverHttpWithKeysInEnvironment',
          description: 'The same check over the URL of the function, with a signed request',
          value: `curl --aws-sigv4 aws:amz:${region}:lambda --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" ${url}`,
        },
        {
          id: 'AttachLayerReplacingOthers',
          description:
            'Attach the layer to a function of your own: write its name instead of MY_FUNCTION; this replaces its other layers',
          value: `aws lambda update-function-configuration --region ${region} --function-name MY_FUNCTION --layers ${this.layer.layerVersionArn}`,
        },
        ...(isRotated
          ? [
              {
                id: 'RotateNow',
                description: 'Rotate the password now; the log of the rotation function says why when it fails',
                value: `aws secretsmanager rotate-secret --region ${region} --secret-id ${this.database.secret.secretFullArn ?? this.database.secret.secretName}`,
              },
            ]
          : []),
        ...(this.alarm === undefined
          ? []
          : [
              {
                id: 'ShowAlarm',
                description: 'Result of the last scheduled check: OK, ALARM, or INSUFFICIENT_DATA before the first',
                value: `aws cloudwatch describe-alarms --region ${region} --alarm-names ${this.alarm.alarmName} --query MetricAlarms[0].StateValue`,
              },
            ]),
      ],
    })
  }
}

function secretOf(scope: Construct, secretName: string | undefined): secretsmanager.ISecret {
  return secretName === undefined
    ? newSecret(scope)
    : secretsmanager.Secret.fromSecretNameV2(scope, 'Secret', secretName)
}

/** Empty on purpose: a generated value would look like a password, which the database does not have. */
function newSecret(scope: Construct): secretsmanager.ISecret {
  const secret = new secretsmanager.CfnSecret(scope, 'EmptySecret', {
    description: 'Connection string of the database; read by cockroach-lambda',
  })
  // Outlives the stack, but not a first deployment that fails: until then it is empty.
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
  return secretsmanager.Secret.fromSecretCompleteArn(scope, 'Secret', secret.ref)
}

/** The record without its undefined values, for props that may be absent but not undefined. */
function definedOnly<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never
}
