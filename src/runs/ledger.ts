import { CpnError } from '../common/errors.ts'
import type { AttemptEvent, EarlierFailure } from '../scheduler/scheduler.ts'
import type { EncodedRecord, JobRecord, NamedFace } from './job-record.ts'
import { tellDamage } from './ledger-damage.ts'
import { SqliteLedger } from './sqlite-ledger.ts'

export type InputState = 'queued' | 'done' | 'failed' | 'quarantined'
export type RunState = 'running' | 'finished' | 'interrupted'

/** What tells a file from a changed one without reading it. */
export interface FileIdentity {
  bytes: number
  mtimeMs: number
  ctimeMs: number
  /** Inode. */
  ino: number
}

/** A file as it was when the run found it. */
export interface NewInput extends FileIdentity {
  /** Relative path in OUT, with `/`; unique within a run. */
  name: string
  /** Absolute path of the file. */
  source: string
}

export interface Input extends NewInput {
  /** Position in the order of discovery; a new one when it is queued again. */
  seq: number
}

/** An input as an earlier epoch left it. */
export interface KnownInput extends Input {
  state: InputState
  /** The epoch that finished it. */
  epoch: number | null
  /** Bytes of its picture in OUT; null where it has none, or one that has to be drawn anew. */
  written: number | null
  error: InputError | null
}

export interface InputError {
  code: string
  message: string
}

/** One input as predictions.jsonl tells it. */
export interface InputLine {
  name: string
  /** Absolute path of the file. */
  source: string
  state: InputState
  job: string | null
  result: JobRecord | null
  error: InputError | null
}

export interface RunCounts {
  inputs: number
  bytes: number
  /** By the run's present epoch. */
  done: number
  failed: number
  quarantined: number
  /** Done by an earlier epoch. */
  skipped: number
  pending: number
}

export interface EndedJob {
  state: 'done' | 'failed' | 'quarantined'
  /** Input that has the job's output, and the output's bytes. */
  name: string
  written: number | null
  error: InputError | null
}

/** A job with what its faces are named by. */
export interface EmbeddedJob {
  job: string
  faces: NamedFace[]
  embeddings: Float32Array[]
  /** Not every input of it has a picture that shows these faces. */
  isUndrawn: boolean
}

export interface NewRun {
  /** Real path of the folder of the outputs. */
  out: string
  /** What was asked for; kept as JSON. */
  options: RunOptions
  pipelineDigest: string
  /** The run that has to go on; without it a new one may begin. */
  id?: string
}

/** What a run was asked for. Runs of ledgers that an older cpn wrote have the paths as they were given. */
export interface RunOptions {
  /** Absolute. */
  paths: string[]
  [option: string]: unknown
}

export interface Run {
  id: string
  /** Fencing number: a resumed run gets a higher one, and what the former master still says is refused. */
  epoch: number
}

export interface BegunRun extends Run {
  /** How the run was left by its last epoch; undefined for a new one. */
  left: RunState | undefined
  /** The last master that wrote to the folder died at it. */
  died: boolean
}

export interface RunRecord extends Run {
  state: RunState
  createdAt: string
  /** Of the last epoch. */
  startedAt: string
  endedAt: string | null
  out: string
  options: RunOptions
  pipelineDigest: string
}

/** What is read with each line only on request: it lies on pages of its own. */
export interface LineOptions {
  embeddings?: boolean
  thumbnails?: boolean
}

/**
 * The record of runs in one SQLite file. Every method that writes is durable when it returns, which takes an fsync:
 * while a run works, `commit` is called by the thread of run-writer.ts.
 */
export interface Ledger extends Disposable {
  /**
   * Goes on with the run that wrote to `out` last, in a new epoch, when it was asked for the same paths and the same
   * pipeline, and notes what else is asked now; creates a run otherwise, or throws CPN_ERR_RUN_UNKNOWN where a certain one was to go on. The caller holds
   * the lock of `out`.
   */
  beginRun(run: NewRun): BegunRun
  endRun(run: Run, state: 'finished' | 'interrupted'): void
  /** Forgets a run and all that belongs to it. The caller holds the lock of its `out`, or has begun it. */
  deleteRun(run: string): void
  /** About how many bytes a run takes. */
  runBytes(run: string): number
  /** Gives space of deleted runs back to the disk; nobody can commit meanwhile. */
  shrink(): void
  /** Oldest first. */
  runs(): RunRecord[]
  /** The run that wrote to a folder last. */
  lastRunOf(out: string): RunRecord | undefined
  /** Queued inputs after position `after`, in order of discovery, at most `limit`. */
  queued(run: string, after: number, limit: number): Input[]
  /** Inputs by name; those that the run does not have are left out. */
  known(run: string, names: readonly string[]): Map<string, KnownInput>
  /** Finished inputs after position `after`, in order of discovery, at most `limit`. */
  finished(run: string, after: number, limit: number): KnownInput[]
  /** Digests of the run's jobs that have ended, streamed. */
  endedJobs(run: string): Iterable<string>
  /**
   * A job of the run that has ended, with an input whose output was written: the one at `seq` where that was finished as
   * this job before, else any. Undefined if there is none.
   */
  endedJob(run: string, job: string, seq: number): EndedJob | undefined
  /**
   * Attempts at a job that failed in earlier epochs of the run, oldest first; without those from before the input at `seq`
   * was finished last, which are settled.
   */
  earlierFailures(run: Run, job: string, seq: number): EarlierFailure[]
  /** Applies many changes in one transaction. Throws CPN_ERR_STALE_EPOCH when the run was resumed by somebody else. */
  commit(run: Run, changes: readonly LedgerChange[]): void
  /** Done jobs with embeddings after `after`, in the order of their digests, at most `limit`. */
  embeddedJobs(run: string, after: string, limit: number): EmbeddedJob[]
  /** Done inputs of a job. */
  inputsOf(run: string, job: string): Input[]
  /** With what all names of a run were given; null when not all were given with the same. */
  namedBy(run: string): string | null
  setNamedBy(run: Run, matching: string | null): void
  counts(run: string): RunCounts
  /** Inputs that the latest epoch has come to an end with, whichever. */
  settledLately(run: string): number
  /** All inputs of a run ordered by name, streamed. */
  lines(run: string, options?: LineOptions): Iterable<InputLine>
}

/** Plain data: it travels to the thread that writes. */
export type LedgerChange =
  | { kind: 'found'; inputs: readonly NewInput[] }
  | ({ kind: 'attempt'; time: string; error?: InputError } & Omit<AttemptEvent, 'error'>)
  | ({ kind: 'job'; job: string; state: 'done' } & EncodedRecord)
  | { kind: 'job'; job: string; state: 'failed' | 'quarantined'; error: InputError }
  /** An input is finished; `file` is how it was when it was read, `written` the bytes of its picture. */
  | {
      kind: 'input'
      seq: number
      state: Exclude<InputState, 'queued'>
      job?: string
      file?: FileIdentity
      written?: number
      error?: InputError
    }
  /** A finished input has to be looked at again. `forget`: whatever its content is, it is done anew. */
  | { kind: 'again'; seq: number; input: NewInput; forget: boolean }
  /** An input that was to be looked at again is what it was finished as: it counts as finished then. */
  | { kind: 'kept'; seq: number; file: FileIdentity }
  /**
   * Faces of a job have other names now; the pictures of its inputs have been drawn anew, with so many bytes, or with null
   * have still to be. What was kept of the faces at the positions `forget` is overwritten.
   */
  | { kind: 'named'; job: string; faces: readonly NamedFace[]; written?: number | null; forget?: readonly number[] }
  /** An input is no part of the run any more. */
  | { kind: 'dropped'; seq: number }

/** Opens or creates the ledger. Ends with CPN_ERR_STATE_DIR when it is damaged or of a newer cpn. */
export function openLedger(file: string): Ledger {
  try {
    return tellDamage(new SqliteLedger(file), file)
  } catch (cause) {
    if (cause instanceof CpnError) throw cause
    throw new CpnError('CPN_ERR_STATE_DIR', `the ledger ${file} cannot be opened: ${(cause as Error).message}`, {
      cause,
      suggestions: [
        'Check that the folder is writable.',
        `If the file is damaged, move it away: mv ${file} ${file}.damaged`,
      ],
    })
  }
}
