import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LedgerChange, openLedger } from '../../src/runs/ledger.ts'
import { type Project, project } from '../helpers/project.ts'

/** Puts one run over `a.jpg` into the ledger. */
function ledgerOf(home: Project, attempts: readonly Omit<LedgerChange & { kind: 'attempt' }, 'kind' | 'job'>[]): void {
  const state = join(home.folder, '.cpn')
  mkdirSync(state, { mode: 0o700 })
  using ledger = openLedger(join(state, 'ledger.db'))
  const run = ledger.beginRun({ out: '/out', options: { paths: ['/photos'] }, pipelineDigest: 'p' })
  const file = { bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 }
  ledger.commit(run, [
    { kind: 'found', inputs: [{ name: 'a.jpg', source: '/photos/a.jpg', ...file }] },
    ...attempts.map((attempt) => ({ kind: 'attempt', job: 'j', ...attempt }) as const),
    { kind: 'input', seq: 1, state: 'done', job: 'j' },
  ])
  ledger.endRun(run, 'finished')
}

test('what became of each attempt is said in words: done, lost against a copy, overruled, failed, cut off', async () => {
  await using home = project()
  writeFileSync(home.inventory, 'version: 1\nhosts: { here: { transport: local } }\n')
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
  ledgerOf(home, [
    { attempt: 1, node: 'node1', purpose: 'work', state: 'started', time: at(0) },
    { attempt: 1, node: 'node1', purpose: 'work', state: 'cancelled', time: at(3) },
    { attempt: 2, node: 'node2', purpose: 'hedge', state: 'started', time: at(1) },
    { attempt: 2, node: 'node2', purpose: 'hedge', state: 'done', time: at(3) },
    { attempt: 2, node: 'node2', purpose: 'audit', state: 'overruled', time: at(6) },
    { attempt: 3, node: 'node3', purpose: 'audit', state: 'started', time: at(3) },
    { attempt: 3, node: 'node3', purpose: 'audit', state: 'done', time: at(5) },
    { attempt: 4, node: 'node4', purpose: 'alone', state: 'started', time: at(5) },
    {
      ...{ attempt: 4, node: 'node4', purpose: 'alone', state: 'failed', time: at(6) },
      error: { code: 'CPN_ERR_AGENT_DIED', message: 'the agent ended' },
    },
    { attempt: 5, node: 'node1', purpose: 'retry', state: 'started', time: at(6) },
  ])
  const { stdout } = await home.ok(['runs', 'show', 'last', '--input', 'a.jpg'])
  const attempts = stdout.split('\n').flatMap((line) => /^ {2}attempt {2}(.*)/.exec(line)?.[1] ?? [])
  assert.deepEqual(attempts, [
    `1.1 on node1, ${at(0)}: cancelled because it was not needed any more, after 3.0 s`,
    `1.2 on node2, a copy of a slow one, ${at(1)}: done and overruled by other nodes, after 2.0 s`,
    `1.3 on node3, a second opinion, ${at(3)}: done after 2.0 s`,
    `1.4 on node4, alone, ${at(5)}: failed after 1.0 s: CPN_ERR_AGENT_DIED: the agent ended`,
    `1.5 on node1, again, ${at(6)}: no end was noted`,
  ])
  assert.match(stdout, /^ {2}node2: 1 done, 1 of them overruled by other nodes, 0 attempts failed$/m)
  assert.match(stdout, /^ {2}node1: 0 done, 0 attempts failed$/m)
})
