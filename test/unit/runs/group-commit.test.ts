import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupCommit } from '../../../src/runs/group-commit.ts'

const change = (seq: number) => ({ seq })

test('changes that come together are committed together, and later ones later', async () => {
  const commits: number[] = []
  const commit = new GroupCommit(async (changes) => void commits.push(changes.length))
  await Promise.all([commit.add(change(1)), commit.add(change(2), change(3))])
  await commit.add(change(4))
  assert.deepEqual(commits, [3, 1])
})

test('what comes while a commit is written makes up the next one', async () => {
  const commits: number[] = []
  const writing = Promise.withResolvers<void>()
  const commit = new GroupCommit(async (changes) => {
    commits.push(changes.length)
    if (commits.length === 1) await writing.promise
  })
  const first = commit.add(change(1))
  await new Promise((resolve) => setImmediate(resolve))
  const rest = [2, 3, 4].map((seq) => commit.add(change(seq)))
  writing.resolve()
  await Promise.all([first, ...rest])
  assert.deepEqual(commits, [1, 3])
})

test('everybody whose change was not committed is told, and later changes are', async () => {
  let full = true
  const commit = new GroupCommit(async () => {
    if (full) throw new Error('disk full')
  })
  const results = await Promise.allSettled([commit.add(change(1)), commit.add(change(2))])
  assert.ok(results.every(({ status }) => status === 'rejected'))
  full = false
  await commit.add(change(3))
  await commit.idle()
})

test('what nobody waits for goes with the next group, or by itself after a moment', async () => {
  const commits: number[][] = []
  const commit = new GroupCommit<{ seq: number }>(async (changes) => void commits.push(changes.map(({ seq }) => seq)))
  const later = commit.addLater(change(1))
  await commit.add(change(2))
  await later
  await commit.addLater(change(3))
  assert.deepEqual(commits, [[1, 2], [3]])
})

test('what comes later while a group is written makes no group of its own at once', async () => {
  const commits: number[][] = []
  const commit = new GroupCommit<{ seq: number }>(async (changes) => {
    commits.push(changes.map(({ seq }) => seq))
    if (commits.length === 1) commit.addLater(change(2))
  })
  await commit.add(change(1))
  await new Promise((resolve) => setImmediate(resolve))
  await commit.add(change(3))
  assert.deepEqual(commits, [[1], [2, 3]])
  commit.addLater(change(4))
  await commit.idle()
  assert.deepEqual(commits.at(-1), [4])
})

test('what went with a group is not waited for once more', async () => {
  const commits: number[][] = []
  const commit = new GroupCommit<{ seq: number }>(async (changes) => void commits.push(changes.map(({ seq }) => seq)))
  const first = commit.add(change(1))
  await Promise.all([first, commit.addLater(change(2))])
  await new Promise((resolve) => setTimeout(resolve, 300))
  await commit.add(change(3))
  assert.deepEqual(commits, [[1, 2], [3]])
})

test('in a steady stream groups are as far apart as they should be, and nothing is left waiting', async () => {
  const groups: number[][] = []
  const commits = new GroupCommit<number>(async (changes) => void groups.push([...changes]), 100)
  await commits.add(1)
  const [second, third] = [commits.add(2), new Promise((resolve) => setTimeout(resolve, 5)).then(() => commits.add(3))]
  await Promise.all([second, third])
  await commits.idle()
  assert.deepEqual(groups, [[1], [2, 3]])
})
