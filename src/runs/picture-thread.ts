import { systemErrorCode } from '../common/errors.ts'
import type { WriteFailure } from './picture-writer.ts'
import { answerQuestions } from './thread.ts'
import { type NewFile, writeFilesDurably } from './write-file.ts'

/** The thread behind picture-writer.ts. */
answerQuestions(async (files: readonly NewFile[]): Promise<(WriteFailure | undefined)[]> => {
  const failures = await writeFilesDurably(files)
  // Of an error only the message gets through to another thread.
  return failures.map((error) => error && { message: error.message, code: systemErrorCode(error) })
})
