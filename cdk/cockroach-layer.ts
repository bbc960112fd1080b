/** The Lambda layer: library and root certificate, as `npm run build` made them. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AssetHashType, DockerImage } from 'aws-cdk-lib'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { builtPath } from './built-files.ts'
import { rootCertificateText } from './root-certificate.ts'

export interface CockroachLayerProps {
  /**
   * Your own cluster's CA, instead of the roots of CockroachDB Cloud's Basic and Standard plans: PEM text, or the path of a PEM file.
   * @default the certs/root.crt of this package
   */
  readonly rootCertificate?: string
  /**
   * The layer's name, the same for all its versions.
   * @default a name that CloudFormation makes
   */
  readonly layerVersionName?: string
}

/** Unpacks to `/opt/nodejs/node_modules/cockroach-lambda` and `/opt/certs/root.crt`. */
export class CockroachLayer extends lambda.LayerVersion {
  /**
   * For a NodejsFunction's `bundling.externalModules`: this library, which is in the layer, and the CDK's own default, the
   * AWS SDK of the runtime.
   */
  static get externalModules(): string[] {
    return ['cockroach-lambda', '@aws-sdk/*', '@smithy/*']
  }

  constructor(scope: Construct, id: string, props: CockroachLayerProps = {}) {
    super(scope, id, {
      code: layerCode(props.rootCertificate),
      description: 'cockroach-lambda: a verified, reusable connection to CockroachDB Cloud or any PostgreSQL',
      license: 'Apache-2.0',
      compatibleRuntimes: [lambda.Runtime.NODEJS_22_X, lambda.Runtime.NODEJS_24_X],
      compatibleArchitectures: [lambda.Architecture.X86_64, lambda.Architecture.ARM_64],
      ...(props.layerVersionName === undefined ? {} : { layerVersionName: props.layerVersionName }),
    })
  }
}

function layerCode(rootCertificate: string | undefined): lambda.Code {
  const layer = builtPath('layer')
  if (rootCertificate === undefined) return lambda.Code.fromAsset(layer)
  const text = rootCertificateText(rootCertificate)
  return lambda.Code.fromAsset(layer, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never started: the local bundler below always does the work.
      image: DockerImage.fromRegistry('unused'),
      local: {
        tryBundle(outputFolder) {
          cpSync(layer, outputFolder, { recursive: true })
          writeFileSync(join(outputFolder, 'certs/root.crt'), text)
          return true
        },
      },
    },
  })
}
