import type { CpnError } from '../common/errors.ts'
import type { Mark, PredictAnswer } from '../protocol/messages.ts'
import type { Matching, Pipeline } from '../protocol/pipeline.ts'

/** The work for one content. */
export interface Job {
  /** sha256 of the bytes. */
  id: string
  bytes: number
  /** What to draw on it, for the pipeline `draw`. */
  marks?: Mark[]
  /** Absolute path of a file with these bytes, for messages. */
  source?: string
  /** What earlier processes of its run could not do with it, oldest first. */
  earlier?: readonly EarlierFailure[]
  /**
   * The bytes in memory that is the caller's; read again for each attempt. Rejects with CPN_ERR_INPUT_UNREADABLE when they
   * are not what they were.
   */
  read(): Promise<Buffer>
}

/** A failed attempt in an earlier process of the run. */
export interface EarlierFailure {
  node: string
  /** The error's. */
  code: string
  /** Nothing else was in work on the node, on purpose. */
  alone: boolean
  /** The node did other jobs of the run. */
  credible: boolean
}

/** A verified answer of a node. */
export interface NodeResult {
  answer: PredictAnswer
  /** The annotated image, encoded; undefined with annotate none. */
  annotated?: Buffer
  /** One L2-normalised vector per face; undefined without an embedder. */
  embeddings?: Float32Array[]
  /** Small JPEGs of the picture without marks and of each face; undefined unless the pipeline wants them. */
  thumbnail?: Buffer
  crops?: Buffer[]
  /** Gives the memory of the pictures back, which are empty then. */
  release?(): void
}

export interface AttemptRequest {
  job: Job
  attempt: number
  epoch: number
  run: string
  pipeline: Pipeline
  /** Present when faces are to get names. */
  matching?: Matching | undefined
  /** Milliseconds that it may wait for a worker, and that a worker may take; its way there and back does not count. */
  deadlineMs: number
  /** Aborts when the result is not wanted any more. */
  signal?: AbortSignal
}

/** A node as the scheduler sees it: no SSH, no HTTP. */
export interface SchedulableNode {
  readonly name: string
  /** Jobs it takes at once, two per worker; 0 while it takes none (draining, unreachable). The pool tells of changes. */
  readonly slots: number
  /** What computes there: where it is the same and so are the numbers, pictures have the same bytes. */
  readonly build?: string
  /** Rejects with a CpnError; `retryable` errors and lost hosts lead to an attempt elsewhere. */
  predict(request: AttemptRequest): Promise<NodeResult>
}

/** The nodes there are; may grow, shrink and change while jobs run. A node is known by its name. */
export interface NodePool {
  readonly nodes: readonly SchedulableNode[]
  /** Calls back whenever a node comes, goes or changes its slots. Returns a function that ends it. */
  onChange(listener: () => void): () => void
}

/**
 * work: the first try. retry: after a failure. alone: of a job that was in work when an agent died, with nothing else
 * beside it. hedge: a second copy at the end of a run. audit: a second opinion about a result that is there.
 */
export type AttemptPurpose = 'work' | 'retry' | 'alone' | 'hedge' | 'audit'

/** One try of a job, for the ledger. */
export interface AttemptEvent {
  job: string
  /** Counts the job's attempts from 1. */
  attempt: number
  node: string
  purpose: AttemptPurpose
  /** cancelled: its result was not needed any more. overruled: its result was, and other nodes agree on another one. */
  state: 'started' | 'done' | 'failed' | 'cancelled' | 'overruled'
  error?: CpnError
}

/** What a run learns about its nodes, for people. */
export type NodeNotice =
  /** It gets nothing for a while, because attempts fail there and succeed elsewhere. */
  | { kind: 'set-aside'; node: string; milliseconds: number; error: CpnError }
  /** Other nodes agree on another result than its own; it gets nothing for a while. */
  | { kind: 'overruled'; node: string; milliseconds: number; job: Job; difference: string }
  /** Nodes disagree about a job and nobody could decide. */
  | { kind: 'undecided'; nodes: string[]; job: Job; difference: string }

export type JobOutcome =
  | { state: 'done'; job: Job; node: string; attempts: number; result: NodeResult; milliseconds: number }
  | { state: 'failed'; job: Job; attempts: number; error: CpnError }
  | { state: 'quarantined'; job: Job; attempts: number; error: CpnError; nodes: string[] }
