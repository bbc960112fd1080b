/** `npx cockroach-lambda`: the program. */
import { FAILED } from './exit-codes.ts'
import { run } from './run.ts'

const { env: environment, stdin, stdout, stderr } = process

// Closed by the reader, as `| head` does: nobody is left to write to.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

run(process.argv.slice(2), { environment, stdin, stdout, stderr })
  .then((code) => {
    process.exitCode = code
  })
  .catch((error: unknown) => {
    // Not the error itself: what is unexpected may hold anything.
    const name = error instanceof Error ? error.name : typeof error
    const at =
      error instanceof Error
        ? error.stack
            ?.split('\n')
            .find((line) => /^\s+at /.test(line))
            ?.trim()
        : undefined
    stderr.write(`cockroach-lambda: an unexpected ${name}${at === undefined ? '' : ` ${at}`}\n`)
    process.exitCode = FAILED
  })
