import type { PredictHeaders } from '../protocol/headers.ts'

/** File descriptor of a worker's pipe to its supervisor. */
export const pipeFd = 3

/** One job for a worker. */
export type Order = Pick<PredictHeaders, 'job' | 'attempt' | 'epoch' | 'pipeline' | 'matching' | 'marks'>

/** What a supervisor sends to a worker. */
export type ToWorker =
  /** Followed by the bytes of the image as it is on disk. */
  | { type: 'job'; order: Order }
  /** Followed by the bytes of the gallery that the jobs after it are matched with. */
  | { type: 'gallery'; digest: string }

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
  /** Folder of the fonts that labels are drawn in. */
  fontsDir: string
}
