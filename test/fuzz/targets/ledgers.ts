import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeRecord } from '../../../src/runs/job-record.ts'
import { openLedger } from '../../../src/runs/ledger.ts'
import { defaultResults, writeResults } from '../../../src/runs/sinks/index.ts'
import { resultsOf } from '../../../src/runs/sinks/results.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'
import { mutate } from '../mutate.ts'
import { type Target, verdictOf } from '../target.ts'

/** Ledgers, which are opened, read and written to as a run does it. */
export async function ledgersTarget(): Promise<Target> {
  const folder = tempFolder()
  const file = join(folder.path, 'ledger.db')
  const run = fillLedger(file)
  const good = readFileSync(file)
  return {
    one: async (random) => {
      for (const extra of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${extra}`, { force: true })
      writeFileSync(file, mutate(good, random))
      return await verdictOf(() => useLedger(file, run, folder.path))
    },
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  }
}

const job = 'a'.repeat(64)
const work = { out: '/out', options: { paths: ['/photos'] }, pipelineDigest: 'p' }
const identity = { bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 }
const face = { box: [1, 2, 3, 4] as [number, number, number, number], score: 0.9, keypoints: null }

function fillLedger(file: string): string {
  using ledger = openLedger(file)
  const run = ledger.beginRun(work)
  const names = Array.from({ length: 40 }, (_, index) => `${index}.jpg`)
  const inputs = names.map((name) => ({ name, source: `/photos/${name}`, ...identity }))
  const record = encodeRecord({ width: 8, height: 6, faces: [face], embeddings: [new Float32Array([0.5, 0.25])] })
  ledger.commit(run, [
    { kind: 'found', inputs },
    {
      kind: 'attempt',
      time: '2026-01-01T00:00:00Z',
      job,
      attempt: 1,
      node: 'node1',
      purpose: 'work',
      state: 'started',
    },
    { kind: 'job', job, state: 'done', ...record },
    { kind: 'input', seq: 1, state: 'done', job },
    { kind: 'input', seq: 2, state: 'failed', error: { code: 'CPN_ERR_IMAGE_DECODE', message: 'cut' } },
  ])
  return run.id
}

async function useLedger(file: string, run: string, out: string): Promise<void> {
  using ledger = openLedger(file)
  ledger.counts(run)
  ledger.queued(run, 0, 100)
  ledger.endedJob(run, job, 1)
  await writeResults(
    resultsOf(ledger, run, { out, copies: true, embeddings: true }),
    { ...defaultResults, formats: ['csv', 'coco'] },
    (error) => {
      throw error
    },
  )
  ledger.runs()
  ledger.known(run, ['1.jpg'])
  ledger.finished(run, 0, 100)
  const next = ledger.beginRun(work)
  ledger.commit(next, [{ kind: 'found', inputs: [{ name: 'a', source: '/a', ...identity }] }])
  ledger.endRun(next, 'finished')
}
