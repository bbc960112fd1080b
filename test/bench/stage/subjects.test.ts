/** Every compared function works: a cold start ends with a row, over one verified connection. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { coldStart } from '../../../bench/figures/cold-start.ts'
import { Stage } from '../../../bench/stage/stage.ts'
import { MEMORY_SUBJECTS } from '../../../bench/stage/subjects.ts'

describe('a cold start of', () => {
  let stage: Stage

  beforeAll(async () => {
    stage = await Stage.open()
  }, 120_000)

  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]()
  })

  test.each(MEMORY_SUBJECTS)('%s ends with a row over one connection, and reads the secret once', async (subject) => {
    const start = await coldStart(stage, subject, { countsModules: true })
    expect(start).toMatchObject({ connections: 1, secretRequests: 1 })
    expect(start.sinceLoadingMs).toBeGreaterThan(0)
    expect(start.loaded?.modules).toBeGreaterThan(0)
  })

  test('ours needs as many packets as the floor, and loads no AWS SDK', async () => {
    const [ours, floor] = [await coldStart(stage, 'ours', { countsModules: true }), await coldStart(stage, 'floor')]
    expect(ours.packets).toBe(floor.packets)
    // The function's own file and the layer's two.
    expect(ours.loaded?.modules).toBe(3)
  })
})
