/** `npm run publish-layer -- --regions …`: publishes `dist/layer.zip` in each region, and prints the ARNs. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Lambda } from '@aws-sdk/client-lambda'

const USAGE = `npm run publish-layer -- --regions REGION[,REGION…] [--name NAME] [--dry-run]
  --regions  where to publish: a function uses layers of its own region only
  --name     the layer's name; by default cockroach-lambda
  --dry-run  print what would be published, and ask nobody; needs no credentials`

const OPTIONS = {
  regions: { type: 'string' },
  name: { type: 'string', default: 'cockroach-lambda' },
  'dry-run': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d+$/
/** @see https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html */
const LAYER_NAME = /^[\w-]{1,64}$/
const WRONG_USAGE = 2

interface Publication {
  readonly regions: readonly string[]
  readonly name: string
  readonly isDryRun: boolean
}

/** @throws Error that says which argument is wrong. */
function readArguments(): Publication | undefined {
  const { regions = '', name, help, 'dry-run': isDryRun } = parseArgs({ options: OPTIONS }).values
  if (help) return undefined
  const names = regions.split(',').map((region) => region.trim())
  for (const region of names) {
    if (!REGION.test(region))
      throw new Error(`--regions has "${region}"; expected regions such as eu-central-1,us-east-1`)
  }
  if (!LAYER_NAME.test(name)) throw new Error(`--name is "${name}"; expected up to 64 letters, digits, _ and -`)
  return { regions: [...new Set(names)], name, isDryRun }
}

/** Publishes a new version; returns its ARN. */
async function publish(region: string, name: string, zip: Buffer): Promise<string> {
  const lambda = new Lambda({ region })
  try {
    const { LayerVersionArn } = await lambda.publishLayerVersion({
      LayerName: name,
      Description: 'cockroach-lambda: a verified, reusable connection to CockroachDB Cloud or any PostgreSQL',
      LicenseInfo: 'Apache-2.0',
      CompatibleRuntimes: ['nodejs22.x', 'nodejs24.x'],
      CompatibleArchitectures: ['x86_64', 'arm64'],
      Content: { ZipFile: zip },
    })
    if (LayerVersionArn === undefined) throw new Error('the answer has no LayerVersionArn')
    return LayerVersionArn
  } finally {
    lambda.destroy()
  }
}

async function main({ regions, name, isDryRun }: Publication): Promise<void> {
  const zip = readFileSync(join(import.meta.dirname, '../dist/layer.zip'))
  const sha256 = createHash('sha256').update(zip).digest('hex')
  console.error(`dist/layer.zip: ${zip.length} bytes, SHA-256 ${sha256}`)
  for (const region of regions) {
    if (isDryRun) {
      console.log(`${region}: would publish a version of ${name}`)
      continue
    }
    try {
      console.log(await publish(region, name, zip))
    } catch (error) {
      // The other regions do not depend on this one.
      console.error(`${region}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`)
      process.exitCode = 1
    }
  }
}

function argumentsOrUsage(): Publication | undefined {
  try {
    const publication = readArguments()
    if (publication === undefined) console.log(USAGE)
    return publication
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exitCode = WRONG_USAGE
    return undefined
  }
}

const publication = argumentsOrUsage()
if (publication !== undefined) await main(publication)
