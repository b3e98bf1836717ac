import type { CpnError } from '../common/errors.ts'
import type { PredictAnswer } from '../protocol/messages.ts'
import type { Pipeline } from '../protocol/pipeline.ts'

/** The work for one content. */
export interface Job {
  /** sha256 of the bytes. */
  id: string
  bytes: number
  /** The bytes in memory that is the caller's; read again for each attempt. Rejects with CPN_ERR_INPUT_UNREADABLE when they are not what they were. */
  read(): Promise<Buffer>
}

/** A verified answer of a node. */
export interface NodeResult {
  answer: PredictAnswer
  /** The annotated image, encoded; undefined with annotate none. */
  annotated?: Buffer
  /** One L2-normalised vector per face; undefined without an embedder. */
  embeddings?: Float32Array[]
  /** Gives the memory of `annotated` back, which is empty then. */
  release?(): void
}

export interface AttemptRequest {
  job: Job
  attempt: number
  epoch: number
  run: string
  pipeline: Pipeline
  /** Milliseconds that it may wait for a worker, and that a worker may take; its way there and back does not count. */
  deadlineMs: number
  signal?: AbortSignal
}

/** A node as the scheduler sees it: no SSH, no HTTP. */
export interface SchedulableNode {
  readonly name: string
  /** Jobs it takes at once; 0 while it takes none (draining, unreachable). The pool tells when it changes. */
  readonly slots: number
  /** Rejects with a CpnError; `retryable` errors and lost hosts lead to an attempt elsewhere. */
  predict(request: AttemptRequest): Promise<NodeResult>
}

/** The nodes there are; may grow, shrink and change while jobs run. */
export interface NodePool {
  readonly nodes: readonly SchedulableNode[]
  /** Calls back whenever a node comes, goes or changes its slots. Returns a function that ends it. */
  onChange(listener: () => void): () => void
}

/** One try of a job, for the ledger. */
export interface AttemptEvent {
  job: string
  attempt: number
  node: string
  state: 'started' | 'done' | 'failed'
  error?: CpnError
}

export type JobOutcome =
  | { state: 'done'; job: Job; node: string; attempts: number; result: NodeResult; milliseconds: number }
  | { state: 'failed' | 'quarantined'; job: Job; attempts: number; error: CpnError }
