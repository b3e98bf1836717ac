import type { JobHistory } from './blame.ts'
import { newHistory } from './blame.ts'
import type { Lane } from './lane.ts'
import type { AttemptPurpose, Job } from './scheduler.ts'
import type { Vote } from './votes.ts'

/** A job from its arrival to its outcome. */
export interface Task {
  readonly job: Job
  readonly history: JobHistory
  /** All attempts, blameless ones too; numbers the next. */
  tries: number
  /** More than one while a copy of it runs. */
  readonly running: Set<Attempt>
  /** Results that wait for a second opinion, its first one included. */
  readonly votes: Vote[]
  /** Why there is a second opinion. */
  audit: 'sample' | 'required' | undefined
  /** Attempts at a second opinion that came to nothing. */
  failedAudits: number
  hedged: boolean
  /** Its outcome is known: what still comes in is dropped. */
  settled: boolean
}

/** One try of a job on one node. */
export interface Attempt {
  readonly task: Task
  readonly lane: Lane
  readonly number: number
  readonly purpose: AttemptPurpose
  /** Milliseconds by the run's clock. */
  readonly started: number
  /** Milliseconds; undefined where nothing was measured before. */
  readonly expectedMs: number | undefined
  /** The lane's load when it started; see Lane. */
  readonly loadAtStart: number
  /** Another one was in work on the node at some time. */
  accompanied: boolean
  readonly cancel: AbortController
}

/** A result is there, nobody contradicts, and it was only a sample: a second opinion is welcome, but not waited for. */
export function isOnlySampled({ audit, votes }: Task): boolean {
  return audit === 'sample' && votes.length === 1
}

export function newTask(job: Job): Task {
  return {
    job,
    history: newHistory(job.earlier),
    tries: 0,
    running: new Set(),
    votes: [],
    audit: undefined,
    failedAudits: 0,
    hedged: false,
    settled: false,
  }
}
