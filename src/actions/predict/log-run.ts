import type { Logger } from '../../common/logger.ts'
import type { Summary } from '../../runs/outputs.ts'
import type { AttemptEvent, JobOutcome } from '../../scheduler/scheduler.ts'

/** What a run tells the log. Jobs go by their digests: names of files may be names of people. */
export class RunLog {
  readonly #logger: Logger

  constructor(logger: Logger, run: string) {
    this.#logger = logger.child({ run })
  }

  began(nodes: string[]): void {
    this.#logger.info({ event: 'run-began', nodes }, 'run began')
  }

  ended({ run: _, ...counts }: Summary, code?: string): void {
    this.#logger.info({ event: 'run-ended', ...counts, code }, 'run ended')
  }

  attempt({ job, attempt, node, state, error }: AttemptEvent): void {
    const about = { event: `attempt-${state}`, job, attempt, host: node }
    if (error) this.#logger.warn({ ...about, code: error.code, reason: error.message }, 'attempt failed')
    else this.#logger.debug(about, `attempt ${state}`)
  }

  /** What became of a job in the end, where it is no result. */
  outcome(outcome: JobOutcome): void {
    if (outcome.state === 'done') return
    const { state, job, attempts, error } = outcome
    this.#logger.warn({ event: `job-${state}`, job: job.id, attempts, code: error.code }, `job ${state}`)
  }
}
