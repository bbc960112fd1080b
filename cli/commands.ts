/** The table of the commands. */
import type { Command, CommandOption } from './command.ts'

const help: CommandOption = { help: 'print this help' }
const json: CommandOption = { help: 'one JSON document on standard output' }
const secretId: CommandOption = {
  value: 'ID',
  help: 'name or ARN of the secret; by default that of COCKROACH_SECRET_ID',
}

export const COMMANDS: readonly Command[] = [
  {
    name: 'doctor',
    summary: 'Walks the way to the database step by step, stops at the first failure, and says what mends it.',
    options: {
      'secret-id': secretId,
      url: { value: '-', help: 'a connection string, or the value of a secret, from standard input' },
      function: { value: 'NAME', help: 'a deployed health check to ask as well; it is invoked with an empty event' },
      json,
      help,
    },
    examples: [
      ['npx cockroach-lambda doctor --secret-id app/db', 'with the secret of a function'],
      ['pbpaste | npx cockroach-lambda doctor --url -', 'with the connection string in the clipboard'],
      ['npx cockroach-lambda doctor --secret-id app/db --function my-health-check', 'beside a deployed function'],
      ['npx cockroach-lambda doctor --json', 'with the environment: COCKROACH_SECRET_ID, DATABASE_URL, PGHOST, …'],
    ],
    load: async () => (await import('./doctor/command.ts')).runDoctor,
  },
  {
    name: 'init',
    summary: 'Writes a small function, its unit test, and the files that deploy it, into this folder or another.',
    operand: 'DIR',
    options: {
      layer: { help: 'deployed by a shell script, with the AWS command line' },
      cdk: { help: 'deployed by the AWS CDK' },
      sam: { help: 'deployed by the AWS Serverless Application Model' },
      terraform: { help: 'deployed by Terraform' },
      serverless: { help: 'deployed by the Serverless Framework, as osls' },
      python: { help: 'a function in Python, with psycopg; in JavaScript by default' },
      'secret-id': { value: 'NAME', help: 'name of the secret; app/db by default' },
      help,
    },
    examples: [
      ['npx cockroach-lambda init --cdk', 'into this folder; nothing is overwritten'],
      ['npx cockroach-lambda init --sam --secret-id shop/db my-function', 'into another folder'],
      ['npx cockroach-lambda init --layer --python', 'a function in Python'],
    ],
    load: async () => (await import('./init.ts')).runInit,
  },
  {
    name: 'secret put',
    summary: 'Checks a connection string or the value of a secret as doctor does, and stores it as clean JSON.',
    options: {
      'secret-id': secretId,
      'dry-run': { help: 'check, print what would be stored, and store nothing' },
      help,
    },
    examples: [
      ['npx cockroach-lambda secret put --secret-id app/db', 'ask for it, and show nothing of it'],
      ['pbpaste | npx cockroach-lambda secret put --secret-id app/db --dry-run', 'from the clipboard, to see it first'],
    ],
    load: async () => (await import('./secret/put.ts')).runSecretPut,
  },
  {
    name: 'secret show',
    summary: 'Prints what a secret says, with the password redacted.',
    options: { 'secret-id': secretId, json, help },
    examples: [['npx cockroach-lambda secret show --secret-id app/db', 'version, fields and warnings']],
    load: async () => (await import('./secret/show.ts')).runSecretShow,
  },
  {
    name: 'url',
    summary: 'Prints the connection as another program reads it, with the password redacted.',
    options: {
      'secret-id': secretId,
      format: { value: 'FORMAT', help: 'uri (by default), jdbc, psql, env, prisma or sqlalchemy' },
      show: { help: 'print the password' },
      help,
    },
    examples: [
      ['npx cockroach-lambda url --secret-id app/db', 'as a connection string'],
      ['npx cockroach-lambda url --format prisma --show >> .env', 'for Prisma, with the password'],
    ],
    load: async () => (await import('./connection/url.ts')).runUrl,
  },
  {
    name: 'psql',
    summary: 'Starts psql with the connection of the function; what stands behind -- is for psql.',
    operand: '-- …',
    options: { 'secret-id': secretId, help },
    examples: [
      ['npx cockroach-lambda psql --secret-id app/db', 'a session'],
      ['npx cockroach-lambda psql --secret-id app/db -- -f schema.sql', 'a file of statements'],
    ],
    load: async () => (await import('./connection/psql.ts')).runPsqlCommand,
  },
  {
    name: 'cert check',
    summary: 'Prints what a root certificate holds, and whether the chain of a server ends in it; it logs in nowhere.',
    operand: 'FILE',
    options: {
      host: { value: 'HOST', help: 'the server to compare with; its port behind a colon, by default that of its kind' },
      json,
      help,
    },
    examples: [
      ['npx cockroach-lambda cert check', 'what is verified with here'],
      ['npx cockroach-lambda cert check ./root.crt --host db.example.com:5432', "a file, beside a server's chain"],
    ],
    load: async () => (await import('./certificate/check.ts')).runCertCheck,
  },
  {
    name: 'cert fetch',
    summary: 'Downloads the root certificate of a cluster to ~/.postgresql/root.crt, where libpq looks for it.',
    options: {
      'cluster-id': { value: 'UUID', help: "the UUID in the cluster's address in the console" },
      out: { value: 'FILE', help: 'another file to write' },
      force: { help: 'replace a file that is another' },
      help,
    },
    examples: [['npx cockroach-lambda cert fetch --cluster-id $CLUSTER_ID', 'for an Advanced cluster']],
    load: async () => (await import('./certificate/fetch.ts')).runCertFetch,
  },
]
