import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

test('Node runs in the group from its start, is limited when it is said, and is free when the group is removed', async () => {
  const limit = quota()
  // Control groups need Linux and root; the benchmark's section says so where they cannot be made.
  if (limit === undefined) {
    expect(() => new ProcessorQuota(128)).toThrow()
    return
  }
  const child = spawn(limit.nodeBinary, ['-e', 'console.log(1); setTimeout(() => undefined, 60_000)'])
  try {
    await once(child.stdout, 'data')
    const groups = () => readFileSync(`/proc/${child.pid}/cgroup`, 'utf8')
    const [, group = ''] = /:(\/lambda-benchmark-\S+)/.exec(groups()) ?? []
    expect(group).toContain(`${process.pid}-128`)
    const files = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup'].flatMap((root) =>
      ['cpu.cfs_quota_us', 'cpu.max'].map((name) => join(root + group, name)),
    )
    const quotas = () =>
      files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8').split(/\s/)[0])
    const unthrottled = quotas()
    limit.throttle()
    expect([unthrottled, quotas()]).toEqual([['2000000'], ['1447']])
    limit[Symbol.dispose]()
    expect(groups()).not.toContain('lambda-benchmark-')
    expect([existsSync(`/sys/fs/cgroup/cpu${group}`), existsSync(limit.nodeBinary)]).toEqual([false, false])
  } finally {
    limit[Symbol.dispose]()
    child.kill()
  }
})
