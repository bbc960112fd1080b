import { expect, test } from 'vitest'
import { refuseOldNode } from '../../../src/settings/node-version.ts'

test.each(['18.20.8', '20.20.2', '21.7.3'])('Node.js %s is refused in one line, with what to set', (version) => {
  expect(() => refuseOldNode(version)).toThrow(
    expect.objectContaining({
      code: 'ERR_CONFIG',
      message: `this is Node.js ${version}; cockroach-lambda needs 22 or later`,
      hint: 'On Lambda, set the runtime of the function to nodejs24.x.',
    }),
  )
})

test.each(['22.0.0', '24.21.0', '26.0.0'])('Node.js %s is taken', (version) => {
  expect(() => refuseOldNode(version)).not.toThrow()
})
