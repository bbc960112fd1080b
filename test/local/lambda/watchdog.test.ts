import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { LAMBDA_FIXTURES, processState } from '../../support/lambda.ts'

test.runIf(process.platform === 'linux')(
  'the frozen function and the folders of a process that is killed are removed',
  async () => {
    const starter = spawn(process.execPath, [join(LAMBDA_FIXTURES, 'dies.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { pid, opt } = JSON.parse(await text(starter.stdout))
    await expect.poll(() => processState(pid), { timeout: 20_000 }).toBe('Z')
    await expect.poll(() => existsSync(opt), { timeout: 20_000 }).toBe(false)
  },
)
