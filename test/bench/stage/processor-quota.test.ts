import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ProcessorQuota, quotaUs } from '../../../bench/stage/processor-quota.ts'

function quota(): ProcessorQuota | undefined {
  try {
    return new ProcessorQuota(128)
  } catch {
    return undefined
  }
}

test.each([
  [128, 1447],
  [512, 5789],
  [1769, 20_000],
])('a function with %i MB gets %i of 20,000 µs', (memoryMb, us) => {
  expect(quotaUs(memoryMb)).toBe(us)
})

test('a process in the group is limited, and free again when the group is removed', async () => {
  const limit = quota()
  // Control groups need Linux and root; the benchmark's section says so where they cannot be made.
  if (limit === undefined) {
    expect(() => new ProcessorQuota(128)).toThrow()
    return
  }
  const child = spawn('sleep', ['60'])
  try {
    await once(child, 'spawn')
    const groups = () => readFileSync(`/proc/${child.pid}/cgroup`, 'utf8')
    limit.add(child.pid ?? 0)
    const [, group] = /:(\/lambda-benchmark-\S+)/.exec(groups()) ?? []
    expect(group).toContain(`${process.pid}-128`)
    limit[Symbol.dispose]()
    expect(groups()).not.toContain('lambda-benchmark-')
    expect(existsSync(`/sys/fs/cgroup/cpu${group}`)).toBe(false)
  } finally {
    limit[Symbol.dispose]()
    child.kill()
  }
})
