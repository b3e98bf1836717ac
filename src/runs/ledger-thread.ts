import { type LedgerChange, openLedger } from './ledger.ts'
import { answerQuestions, threadData } from './thread.ts'

/** The thread behind ledger-writer.ts. */
const ledger = openLedger(threadData as string)

answerQuestions((changes: readonly LedgerChange[]) => ledger.commit(changes))
