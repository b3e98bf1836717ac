import { createHash } from 'node:crypto'
import { answerQuestions } from '../../common/thread.ts'
import type { DigestQuestion } from './threaded-digest.ts'

/** The thread behind threaded-digest.ts. */
let hash = createHash('sha256')

answerQuestions((question: DigestQuestion): string | undefined => {
  if (question === 'so far') return hash.copy().digest('hex')
  if (question === 'restart') hash = createHash('sha256')
  else hash.update(question)
  return undefined
})
