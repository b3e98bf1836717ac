import type { PredictAnswer } from '../protocol/messages.ts'
import type { Pipeline } from '../protocol/pipeline.ts'

/** Messages between the supervisor and one worker process, over Node's IPC channel with 'advanced' serialization. */
export type ToWorker = {
  type: 'job'
  id: number
  /** The image as it is on disk. */
  image: Uint8Array
  pipeline: Pipeline
}

export type FromWorker =
  /** Sent once, when native libraries are loaded and jobs may come. */
  | { type: 'ready'; executionProviders: string[] }
  | {
      type: 'done'
      id: number
      answer: Omit<PredictAnswer, 'job' | 'attempt' | 'epoch'>
      /** The bytes of answer.parts, in order. */
      parts: Uint8Array[]
    }
  | { type: 'failed'; id: number; error: { code: string; message: string; retryable: boolean; suggestions: string[] } }

/** Command line of a worker: absolute paths. */
export interface WorkerArguments {
  /** Folder of model files named by sha256. */
  modelsDir: string
  /** TrueType font for labels. */
  font: string
}
