/** `npm start`: the main job on one machine; exits with 1 when anything is wrong. */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { runSample } from './sample-run.ts'
import { startSampleServer } from './sample-server.ts'
import { startSampleStack } from './sample-stack.ts'
import { reportText } from './sample-text.ts'

const USAGE = `npm start [-- --json] [-- --serve]
  --json   one JSON document on stdout; progress goes to stderr
  --serve  stay up, print the URLs, and invoke on request until interrupted`

const OPTIONS = { json: { type: 'boolean' }, serve: { type: 'boolean' }, help: { type: 'boolean' } } as const

function readArguments(): { json?: boolean; serve?: boolean; help?: boolean } {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exit(2)
  }
}

const progress = (step: string): boolean => process.stderr.write(`… ${step}\n`)

class Interrupted extends Error {}

/** Rejects on Ctrl-C or SIGTERM, so that everything that was started is taken down on the way out. */
const interruption = Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal))).then(() => {
  throw new Interrupted()
})

async function main({ json = false, serve = false }: { json?: boolean; serve?: boolean }): Promise<boolean> {
  await using stack = await startSampleStack(progress)
  progress('invoking the health-check function')
  await using environment = await stack.startEnvironment({ onOutput: (text) => process.stderr.write(text) })
  const report = await Promise.race([runSample(stack, environment), interruption])
  console.log(json ? JSON.stringify(report, null, 2) : reportText(report))
  if (!serve) return report.ok
  await using server = await startSampleServer(environment)
  const urls = ['invoke', 'freeze', 'thaw'].map((path) => `  ${server.url}/${path}`)
  console.log(`Serving until interrupted (Ctrl-C):\n${urls.join('\n')}`)
  return await interruption.catch(() => report.ok)
}

const values = readArguments()
if (values.help) console.log(USAGE)
else {
  process.exitCode = await main(values).then(
    (isOk) => (isOk ? 0 : 1),
    (error: unknown) => {
      console.error(error instanceof Interrupted ? 'Interrupted; everything was taken down.' : error)
      return 1
    },
  )
}
