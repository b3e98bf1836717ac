import type { PredictHeaders } from '../protocol/headers.ts'

/** File descriptor of a worker's pipe to its supervisor. */
export const pipeFd = 3

/** What a supervisor sends to a worker: one job, followed by the bytes of the image as it is on disk. */
export type ToWorker = Pick<PredictHeaders, 'job' | 'attempt' | 'epoch' | 'pipeline'>

/** What a worker sends to its supervisor. */
export type FromWorker =
  /** Sent once, when native libraries are loaded and jobs may come. */
  | { type: 'ready'; executionProviders: string[] }
  /** Followed by the body of the answer to the master. */
  | { type: 'done'; digest: string; jsonBytes: number }
  | { type: 'failed'; error: { code: string; message: string; retryable: boolean; suggestions: string[] } }

/** Command line of a worker: absolute paths. */
export interface WorkerArguments {
  /** Folder of model files named by sha256. */
  modelsDir: string
  /** TrueType font for labels. */
  font: string
}
