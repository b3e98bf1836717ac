import { parentPort, workerData } from 'node:worker_threads'
import { type LedgerChange, openLedger } from './ledger.ts'
import type { WriterAnswer } from './ledger-writer.ts'

/** The thread behind ledger-writer.ts: commits each message and answers it. */
const ledger = openLedger(workerData as string)

parentPort?.on('message', (changes: readonly LedgerChange[]) => {
  let answer: WriterAnswer = { failed: undefined }
  try {
    ledger.commit(changes)
  } catch (error) {
    answer = { failed: (error as Error).message }
  }
  parentPort?.postMessage(answer)
})
