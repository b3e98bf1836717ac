import assert from 'node:assert/strict'
import { availableParallelism, totalmem } from 'node:os'
import { test } from 'node:test'
import { countCpus, findLimits, machineLimits, workerCount, workerRssLimit } from '../../../src/agent/limits.ts'

const gigabyte = 2 ** 30
const machine = { cores: 16, memoryBytes: 64 * gigabyte }
const cgroup2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n'

function limits(files: Record<string, string>) {
  return findLimits(machine, (path) => files[path])
}

test('without anything to read the machine is the limit', () => {
  assert.deepEqual(limits({}), machine)
})

test('cores are counted by affinity', () => {
  assert.equal(limits({ '/proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-2,8\n' }).cores, 4)
  assert.equal(countCpus('0'), 1)
  assert.equal(countCpus('0-1,4,6-7'), 5)
})

test('a quota of cgroup version 2 limits cores and memory, also from a group further up', () => {
  const found = limits({
    '/proc/self/cgroup': '0::/user.slice/user-1000.slice/session.scope\n',
    '/proc/self/mountinfo': cgroup2,
    '/sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/user.slice/memory.max': 'max\n',
    '/sys/fs/cgroup/user.slice/user-1000.slice/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/user.slice/user-1000.slice/session.scope/memory.max': '1073741824\n',
  })
  assert.deepEqual(found, { cores: 1.5, memoryBytes: gigabyte })
})

test('a container that is the root of its cgroup namespace reads the limits at the mount', () => {
  const found = limits({
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo': cgroup2,
    '/sys/fs/cgroup/cpu.max': '50000 100000\n',
    '/sys/fs/cgroup/memory.max': '2147483648\n',
  })
  assert.deepEqual(found, { cores: 0.5, memoryBytes: 2 * gigabyte })
})

test('a quota of cgroup version 1 counts where the mount shows a part of the tree', () => {
  const mount = (name: string) => `40 30 0:30 /docker/ab12 /sys/fs/cgroup/${name} ro - cgroup cgroup rw,${name}\n`
  const found = limits({
    '/proc/self/cgroup': '5:cpu,cpuacct:/docker/ab12\n4:memory:/docker/ab12\n0::/\n',
    '/proc/self/mountinfo': mount('cpu,cpuacct') + mount('memory'),
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '300000\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '536870912\n',
  })
  assert.deepEqual(found, { cores: 3, memoryBytes: gigabyte / 2 })
})

test('a version 1 group without limits does not limit', () => {
  const found = limits({
    '/proc/self/cgroup': '1:cpu:/\n4:memory:/a\n',
    '/proc/self/mountinfo':
      '40 30 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n41 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': '9223372036854771712\n',
  })
  assert.deepEqual(found, machine)
})

test('the limits of this machine are within its size', () => {
  const { cores, memoryBytes } = machineLimits()
  assert.ok(cores > 0 && cores <= availableParallelism())
  assert.ok(memoryBytes > 0 && memoryBytes <= totalmem())
})

test('there is one worker per whole core, as far as memory goes, and at least one', () => {
  assert.equal(workerCount('auto', machine), 16)
  assert.equal(workerCount('auto', { cores: 2.9, memoryBytes: 64 * gigabyte }), 2)
  assert.equal(workerCount('auto', { cores: 16, memoryBytes: gigabyte }), 2)
  assert.equal(workerCount('auto', { cores: 0.5, memoryBytes: gigabyte / 8 }), 1)
  assert.equal(workerCount(7, { cores: 1, memoryBytes: gigabyte }), 7)
})

test('a worker may grow to its share of the memory, within bounds', () => {
  assert.equal(workerRssLimit(2, { cores: 2, memoryBytes: 4 * gigabyte }), 1.6 * gigabyte)
  assert.equal(workerRssLimit(1, machine), 2 * gigabyte)
  assert.equal(workerRssLimit(16, { cores: 16, memoryBytes: gigabyte }), gigabyte / 2)
})
