import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '../../../src/runs/ledger.ts'
import { RunWriter } from '../../../src/runs/run-writer.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const input = (name: string) => ({ name, source: `/photos/${name}`, bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 0 })

test('what the thread has committed is there for every other reader', async () => {
  using folder = tempFolder()
  const file = join(folder.path, 'ledger.db')
  using ledger = openLedger(file)
  await using writer = new RunWriter(file)
  const run = ledger.beginRun({ out: '/out', options: { paths: [] }, pipelineDigest: 'p' })
  await writer.commit(run, [{ kind: 'found', inputs: [input('a.jpg'), input('b.jpg')] }])
  assert.deepEqual(
    ledger.queued(run.id, 0, 10).map(({ seq, name }) => [seq, name]),
    [
      [1, 'a.jpg'],
      [2, 'b.jpg'],
    ],
  )
})

test('a commit that fails makes none of its changes and is told', async () => {
  using folder = tempFolder()
  const file = join(folder.path, 'ledger.db')
  using ledger = openLedger(file)
  await using writer = new RunWriter(file)
  const run = ledger.beginRun({ out: '/out', options: { paths: [] }, pipelineDigest: 'p' })
  const twice = [input('a.jpg'), input('a.jpg')]
  await assert.rejects(writer.commit(run, [{ kind: 'found', inputs: twice }]), { code: 'CPN_ERR_STATE_DIR' })
  assert.equal(ledger.counts(run.id).inputs, 0)
})

test('a thread that cannot open its ledger refuses every change, also those that come when it has ended', async () => {
  using folder = tempFolder()
  await using writer = new RunWriter(join(folder.path, 'nowhere', 'ledger.db'))
  const change = { kind: 'found', inputs: [input('a.jpg')] } as const
  await assert.rejects(writer.commit({ id: 'r', epoch: 1 }, [change]), { code: 'CPN_ERR_STATE_DIR' })
  await assert.rejects(writer.commit({ id: 'r', epoch: 1 }, [change]), { code: 'CPN_ERR_STATE_DIR' })
  await assert.rejects(writer.writePicture(join(folder.path, 'a.jpg'), Buffer.from('a')), {
    code: 'CPN_ERR_OUTPUT_WRITE',
  })
})
