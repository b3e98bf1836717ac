import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '../../../src/runs/ledger.ts'
import { assertWritable, makeOut, OutFolder, queueLost } from '../../../src/runs/out-folder.ts'
import { mountDisk } from '../../fault/lab/small-disk.ts'
import { canMakeUsers } from '../../helpers/login-user.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('that results have nowhere to go is noticed before anything is made, and told as it is', {
  skip: canMakeUsers ? false : 'needs root',
}, async () => {
  using folder = tempFolder()
  await assertWritable(join(folder.path, 'not', 'there', 'yet'))
  assert.deepEqual(readdirSync(folder.path), [])
  const disk = join(folder.path, 'disk')
  const out = join(disk, 'album-predicted')
  using _disk = mountDisk(disk, 1)
  execFileSync('mount', ['-o', 'remount,ro', disk])
  const told = { code: 'CPN_ERR_OUTPUT_WRITE', message: `${out} cannot be used: the disk is read-only` }
  await assert.rejects(assertWritable(out), told)
  await assert.rejects(makeOut(out), told)
})

test('a folder that was removed, or has another in its place, is not the one it was', async () => {
  using folder = tempFolder()
  const out = join(folder.path, 'out')
  const lost = { code: 'CPN_ERR_OUTPUT_WRITE' }
  mkdirSync(out)
  await using opened = await OutFolder.open(out)
  await opened.check()
  writeFileSync(join(out, 'a.jpg'), 'A')
  await opened.check()
  renameSync(out, `${out}-elsewhere`)
  await assert.rejects(opened.check(), lost)
  rmSync(`${out}-elsewhere`, { recursive: true })
  mkdirSync(out)
  await assert.rejects(opened.check(), lost)
})

test('done inputs without their picture are queued again, and no others: not one that has to be drawn anew', async () => {
  using folder = tempFolder()
  const out = join(folder.path, 'out')
  mkdirSync(out)
  using ledger = openLedger(join(folder.path, 'ledger.db'))
  const run = ledger.beginRun({ out, options: { paths: [] }, pipelineDigest: 'p' })
  const file = { bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 0 }
  const names = ['here.jpg', 'gone.jpg', 'cut.jpg', 'failed.jpg', 'undrawn.jpg']
  const error = { code: 'CPN_ERR_IMAGE_DECODE', message: 'no picture' }
  ledger.commit(run, [{ kind: 'found', inputs: names.map((name) => ({ name, source: `/${name}`, ...file })) }])
  for (const { seq, name } of ledger.queued(run.id, 0, 10)) {
    if (name === 'failed.jpg') ledger.commit(run, [{ kind: 'input', seq, state: 'failed', error }])
    else ledger.commit(run, [{ kind: 'input', seq, state: 'done', ...(name === 'undrawn.jpg' ? {} : { written: 3 }) }])
    if (name === 'here.jpg' || name === 'cut.jpg') writeFileSync(join(out, name), 'abc')
  }
  truncateSync(join(out, 'cut.jpg'), 1)
  const lost = await queueLost(ledger, async (changes) => ledger.commit(run, changes), run, out)
  assert.equal(lost, 2)
  const queued = ledger.queued(run.id, 0, 10).map(({ name }) => name)
  assert.deepEqual(queued.toSorted(), ['cut.jpg', 'gone.jpg'])
  const { done, failed } = ledger.counts(run.id)
  assert.deepEqual([done, failed], [2, 1])
})
