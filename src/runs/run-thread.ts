import { systemErrorCode } from '../common/errors.ts'
import { answerQuestions, threadData } from '../common/thread.ts'
import { openLedger } from './ledger.ts'
import type { Order, WriteFailure } from './run-writer.ts'
import { type NewFile, writeFilesDurably } from './write-file.ts'

/** The thread behind run-writer.ts. */
const ledger = openLedger(threadData as string)

answerQuestions(async (order: Order) =>
  'changes' in order ? ledger.commit(order.run, order.changes) : write(order.pictures),
)

async function write(pictures: readonly NewFile[]): Promise<(WriteFailure | undefined)[]> {
  const failures = await writeFilesDurably(pictures)
  // Given back at once: the collector of a thread that does little comes late.
  for (const memory of new Set(pictures.map(({ bytes }) => bytes.buffer as ArrayBuffer))) memory.transfer(0)
  // Of an error only the message gets through to another thread.
  return failures.map((error) => error && { message: error.message, code: systemErrorCode(error) })
}
