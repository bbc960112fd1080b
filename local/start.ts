/** `npm start`: the main job on one machine; exits with 1 when anything is wrong. */
import { once } from 'node:events'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { runSample } from './sample/run.ts'
import { startSampleServer } from './sample/server.ts'
import { startSampleStack } from './sample/stack.ts'
import { failureText, reportText } from './sample/text.ts'

const USAGE = `npm start [-- --json] [-- --serve]
  --json   one JSON document on stdout; everything else goes to stderr
  --serve  print URLs that invoke the function, and serve them until interrupted`

const OPTIONS = {
  json: { type: 'boolean' },
  serve: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Exit statuses, as shells count them. */
const OK = 0
const FAILED = 1
const WRONG_USAGE = 2
const SIGNALLED = 128

interface Arguments {
  readonly json: boolean
  readonly serve: boolean
  readonly help: boolean
}

function readArguments(): Arguments {
  try {
    const { json = false, serve = false, help = false } = parseArgs({ options: OPTIONS }).values
    return { json, serve, help }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exit(WRONG_USAGE)
  }
}

/** Aborted by Ctrl-C or SIGTERM, so that everything that was started is stopped before the process ends. */
function interruptible(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not once: npm passes Ctrl-C on to a process that has it from the terminal already, and the second would end it.
    process.on(signal, () => {
      if (!controller.signal.aborted) console.error('Interrupted: stopping everything.')
      process.exitCode = SIGNALLED + constants.signals[signal]
      controller.abort()
    })
  }
  return controller.signal
}

const progress = (step: string): boolean => process.stderr.write(`… ${step}\n`)

async function main({ json, serve }: Arguments, signal: AbortSignal): Promise<number> {
  await using stack = await startSampleStack({ onProgress: progress, signal })
  progress('invoking the health-check function')
  await using environment = await stack.startEnvironment({ onOutput: (text) => process.stderr.write(text) })
  const report = await runSample(stack, environment, signal)
  console.log(json ? JSON.stringify(report, null, 2) : reportText(report))
  if (serve) {
    await using server = await startSampleServer(environment)
    const urls = server.paths.map((path) => `  ${server.url}${path}`)
    const say = json ? console.error : console.log
    say(`Serving until interrupted (Ctrl-C):\n${urls.join('\n')}`)
    if (!signal.aborted) await once(signal, 'abort')
  }
  return report.ok ? OK : FAILED
}

const values = readArguments()
if (values.help) console.log(USAGE)
else {
  const signal = interruptible()
  const status = await main(values, signal).catch((error: unknown) => {
    if (!signal.aborted) console.error(failureText(error))
    return FAILED
  })
  // Interrupted while serving, the status is 0; anywhere else, it is the signal's own.
  if (!signal.aborted || status === OK) process.exitCode = status
}
