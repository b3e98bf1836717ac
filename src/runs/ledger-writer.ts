import { Worker } from 'node:worker_threads'
import { CpnError } from '../common/errors.ts'
import type { LedgerChange } from './ledger.ts'

/** Writes to a ledger from a thread of its own, so that no fsync keeps the event loop waiting. */
export interface LedgerWriter extends AsyncDisposable {
  /** Resolves when the changes are durable. Rejects with CPN_ERR_STATE_DIR, and none of them is made then. */
  commit(changes: readonly LedgerChange[]): Promise<void>
}

/** What the thread answers to one message, in the order of the messages. */
export type WriterAnswer = { failed: string } | { failed: undefined }

/** @param file the ledger, which exists */
export function openLedgerWriter(file: string): LedgerWriter {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`./ledger-thread.${extension}`, import.meta.url), { workerData: file })
  const waiting: PromiseWithResolvers<void>[] = []
  thread.on('message', ({ failed }: WriterAnswer) => {
    const answered = waiting.shift()
    if (failed === undefined) answered?.resolve()
    else answered?.reject(notWritten(file, failed))
  })
  thread.on('error', (error: Error) => {
    for (const each of waiting.splice(0)) each.reject(notWritten(file, error.message))
  })
  return {
    commit(changes) {
      const answer = Promise.withResolvers<void>()
      waiting.push(answer)
      thread.postMessage(changes)
      return answer.promise
    },
    async [Symbol.asyncDispose]() {
      await thread.terminate()
    },
  }
}

function notWritten(file: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_STATE_DIR', `the ledger ${file} cannot be written: ${reason}`, {
    suggestions: ['Free space there and check its permissions; then run the same command again.'],
  })
}
