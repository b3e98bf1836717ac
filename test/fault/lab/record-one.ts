// Records one done job into the folder it is given, as a run does: a program of its own, to be watched by strace.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GroupCommit } from '../../../src/runs/group-commit.ts'
import { type LedgerChange, openLedger } from '../../../src/runs/ledger.ts'
import { Recorder } from '../../../src/runs/recorder.ts'
import { RunWriter } from '../../../src/runs/run-writer.ts'

const folder = process.argv[2]!
// A folder apart from the ledger's, which SQLite syncs as well.
const out = join(folder, 'out')
const ledgerFile = join(folder, 'ledger.db')
const file = { bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 }
using ledger = openLedger(ledgerFile)
await using writer = new RunWriter(ledgerFile)
const run = ledger.beginRun({ out, options: { paths: [folder] }, pipelineDigest: 'p' })
const found = { name: 'a.jpg', source: join(folder, 'source.jpg'), ...file }
ledger.commit(run, [{ kind: 'found', inputs: [found] }])
const commits = new GroupCommit<LedgerChange>((changes) => writer.commit(run, changes))
const recorder = new Recorder({ ledger, commits, writer, run: run.id, out, annotates: true })
const job = { id: 'a'.repeat(64), bytes: 1, read: async () => Buffer.from('A') }
await recorder.claim({ ...found, seq: 1 }, { ...job, file })
const answer = { job: job.id, attempt: 1, epoch: 1, width: 1, height: 1, faces: [], parts: [], timings: {} }
const result = { answer, annotated: Buffer.from('the annotated picture') }
await recorder.settle({ state: 'done', job, node: 'node1', attempts: 1, result, milliseconds: 1 })
writeFileSync(join(folder, 'settled'), '')
