import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupCommit } from '../../../src/runs/group-commit.ts'
import type { Ledger, LedgerChange } from '../../../src/runs/ledger.ts'

const change = (seq: number): LedgerChange => ({ kind: 'input', run: 'r', seq, state: 'done' })

function ledger(commit: (changes: readonly LedgerChange[]) => void): Ledger {
  return { commit } as Ledger
}

test('changes that come together are committed together, and later ones later', async () => {
  const commits: number[] = []
  const commit = new GroupCommit(ledger((changes) => void commits.push(changes.length)))
  await Promise.all([commit.add(change(1)), commit.add(change(2), change(3))])
  await commit.add(change(4))
  assert.deepEqual(commits, [3, 1])
})

test('everybody whose change was not committed is told', async () => {
  const commit = new GroupCommit(
    ledger(() => {
      throw new Error('disk full')
    }),
  )
  const results = await Promise.allSettled([commit.add(change(1)), commit.add(change(2))])
  assert.ok(results.every(({ status }) => status === 'rejected'))
  await commit.idle()
})
