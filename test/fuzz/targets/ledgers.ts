import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeRecord, openLedger } from '../../../src/runs/ledger.ts'
import { writePredictions } from '../../../src/runs/outputs.ts'
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
const face = { box: [1, 2, 3, 4] as [number, number, number, number], score: 0.9, keypoints: null }

function fillLedger(file: string): string {
  using ledger = openLedger(file)
  const { id: run } = ledger.createRun({ out: '/out', options: {}, pipelineDigest: 'p' })
  const names = Array.from({ length: 40 }, (_, index) => `${index}.jpg`)
  const inputs = names.map((name) => ({ name, source: `/photos/${name}`, bytes: 1, mtimeMs: 0 }))
  const record = encodeRecord({ width: 8, height: 6, faces: [face], embeddings: [new Float32Array([0.5, 0.25])] })
  ledger.commit([
    { kind: 'found', run, inputs },
    { kind: 'attempt', run, time: '2026-01-01T00:00:00Z', job, attempt: 1, node: 'node1', state: 'started' },
    { kind: 'job', run, job, state: 'done', ...record },
    { kind: 'input', run, seq: 1, state: 'done', job },
    { kind: 'input', run, seq: 2, state: 'failed', error: { code: 'CPN_ERR_IMAGE_DECODE', message: 'cut' } },
  ])
  return run
}

async function useLedger(file: string, run: string, out: string): Promise<void> {
  using ledger = openLedger(file)
  ledger.counts(run)
  ledger.queued(run, 0, 100)
  ledger.endedJob(run, job)
  await writePredictions(ledger, run, out)
  const { id } = ledger.createRun({ out: '/out', options: {}, pipelineDigest: 'p' })
  ledger.commit([{ kind: 'found', run: id, inputs: [{ name: 'a', source: '/a', bytes: 1, mtimeMs: 0 }] }])
  ledger.endRun(id, 'finished')
}
