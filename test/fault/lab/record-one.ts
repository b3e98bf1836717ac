// Records one done job into the folder it is given, as a run does: a program of its own, to be watched by strace.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GroupCommit } from '../../../src/runs/group-commit.ts'
import { type LedgerChange, openLedger } from '../../../src/runs/ledger.ts'
import { Recorder } from '../../../src/runs/recorder.ts'
import { RunWriter } from '../../../src/runs/run-writer.ts'

const folder = process.argv[2]!
const file = join(folder, 'ledger.db')
using ledger = openLedger(file)
await using writer = new RunWriter(file)
const { id: run } = ledger.createRun({ out: folder, options: {}, pipelineDigest: 'p' })
const found = { name: 'a.jpg', source: join(folder, 'source.jpg'), bytes: 1, mtimeMs: 0 }
ledger.commit([{ kind: 'found', run, inputs: [found] }])
const commits = new GroupCommit<LedgerChange>((changes) => writer.commit(changes))
const recorder = new Recorder({ ledger, commits, writer, run, out: folder, annotates: true })
const job = { id: 'a'.repeat(64), bytes: 1, read: async () => Buffer.from('A') }
await recorder.claim({ ...found, seq: 1 }, job)
const answer = { job: job.id, attempt: 1, epoch: 1, width: 1, height: 1, faces: [], parts: [], timings: {} }
const result = { answer, annotated: Buffer.from('the annotated picture') }
await recorder.settle({ state: 'done', job, node: 'node1', attempts: 1, result, milliseconds: 1 })
writeFileSync(join(folder, 'settled'), '')
