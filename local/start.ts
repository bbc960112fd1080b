/** `npm start`: the main job on one machine; exits with 1 when anything is wrong. */
import { once } from 'node:events'
import { constants } from 'node:os'
import { type Arguments, type FunctionArguments, readArguments, USAGE } from './command-line.ts'
import { OwnFunction } from './own-function/own-function.ts'
import { runOwnFunction } from './own-function/run.ts'
import { readOwnFiles, runSql } from './own-function/source.ts'
import { terminalAccess } from './own-function/terminal.ts'
import { ownReportText, servingText } from './own-function/text.ts'
import { type Routes, startRequestServer } from './request-server.ts'
import { describeInvocation, runSample } from './sample/run.ts'
import { startSampleStack } from './sample/stack.ts'
import { failureText, reportText } from './sample/text.ts'
import { startServices } from './services.ts'

/** Exit statuses, as shells count them. */
const OK = 0
const FAILED = 1
const WRONG_USAGE = 2
const SIGNALLED = 128

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

async function startSample({ json, serve }: Arguments, signal: AbortSignal): Promise<number> {
  await using stack = await startSampleStack({ onProgress: progress, signal })
  progress('invoking the health-check function')
  await using environment = await stack.startEnvironment({ onOutput: (text) => process.stderr.write(text) })
  const report = await runSample(stack, environment, signal)
  console.log(json ? JSON.stringify(report, null, 2) : reportText(report))
  if (serve) {
    const routes: Routes = {
      '/invoke': async () => describeInvocation('warm', await environment.invoke({})),
      '/freeze': async () => {
        await environment.freeze()
        return { frozen: true }
      },
      '/thaw': async () => describeInvocation('thawed', await environment.invoke({})),
    }
    await serveUntilAborted(routes, signal, (url) => {
      const urls = Object.keys(routes).map((path) => `  ${url}${path}`)
      say(json, `Serving until interrupted (Ctrl-C):\n${urls.join('\n')}`)
    })
  }
  return report.ok ? OK : FAILED
}

async function startOwn({ json, serve }: Arguments, files: FunctionArguments, signal: AbortSignal): Promise<number> {
  const { source, event, sql } = await readOwnFiles(files)
  await using services = await startServices({ onProgress: progress, signal })
  if (sql !== undefined) await runSql(sql, services)
  progress('invoking your function')
  await using own = await OwnFunction.start(services, source)
  // An invocation under way ends with its environment: it may wait for the time-out otherwise.
  signal.addEventListener('abort', () => void own[Symbol.asyncDispose]())
  const report = await runOwnFunction(services.layer, own, event, signal)
  console.log(json ? JSON.stringify(report, null, 2) : ownReportText(report))
  if (serve) {
    const routes: Routes = {
      '/invoke': (body = event) => own.invoke(body),
      '/freeze': async () => {
        await own.freeze()
        return { frozen: true }
      },
      '/reload': async () => {
        await own.reload()
        return { reloaded: true }
      },
    }
    await serveUntilAborted(routes, signal, (url) => say(json, servingText(url, terminalAccess(services))))
  }
  return report.ok ? OK : FAILED
}

/** With --json, stdout has one document, which is printed already. */
function say(json: boolean, text: string): void {
  if (json) console.error(text)
  else console.log(text)
}

async function serveUntilAborted(routes: Routes, signal: AbortSignal, onUrl: (url: string) => void): Promise<void> {
  await using server = await startRequestServer(routes)
  onUrl(server.url)
  if (!signal.aborted) await once(signal, 'abort')
}

function argumentsOrExit(): Arguments {
  try {
    // npm runs scripts in the folder of package.json, and names the one that it was called in.
    return readArguments(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd())
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exit(WRONG_USAGE)
  }
}

const values = argumentsOrExit()
if (values.help) console.log(USAGE)
else {
  const signal = interruptible()
  const run = values.function === undefined ? startSample(values, signal) : startOwn(values, values.function, signal)
  const status = await run.catch((error: unknown) => {
    if (!signal.aborted) console.error(failureText(error))
    return FAILED
  })
  // Interrupted while serving, the status is 0; anywhere else, it is the signal's own.
  if (!signal.aborted || status === OK) process.exitCode = status
}
