import type { Clock } from '../common/clock.ts'
import { type CpnError, toCpnError } from '../common/errors.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import { backoffMs, type JobHistory, judge } from './blame.ts'
import { place, Rate } from './placement.ts'
import type { AttemptEvent, Job, JobOutcome, NodePool, SchedulableNode } from './scheduler.ts'

export interface ScheduleOptions {
  run: string
  epoch: number
  pipeline: Pipeline
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  /** Milliseconds that an image may wait for a worker, and that a worker may take. */
  deadlineMs: number
  /** Drains: no new attempts, those in flight end. Jobs without an outcome then are pending. */
  drain: AbortSignal
  onAttempt?: (event: AttemptEvent) => void
}

interface Task {
  job: Job
  history: JobHistory
  /** All attempts, blameless ones too; numbers the next. */
  tries: number
}

interface Lane {
  inFlight: number
  rate: Rate
  /** Attempts that failed through the node since its last success. */
  faults: number
  /** Pauses that go on: it gets nothing meanwhile. */
  pauses: number
}

/** Outcomes kept for a slow consumer; more than that and no new attempt starts. */
const maxUnread = 16

/**
 * Runs every job on some node and yields one outcome each, in order of completion. Jobs are pulled only while a node has
 * credit, which is the backpressure. While no node is usable it waits.
 */
export async function* schedule(
  jobs: AsyncIterable<Job>,
  pool: NodePool,
  options: ScheduleOptions,
): AsyncGenerator<JobOutcome> {
  const scheduler = new Scheduler(jobs, pool, options)
  try {
    yield* scheduler.outcomes()
  } finally {
    await scheduler.close()
  }
}

class Scheduler {
  readonly #source: AsyncIterator<Job>
  readonly #pool: NodePool
  readonly #options: ScheduleOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #stopListening: () => void
  readonly #closed = new AbortController()
  #waiting: Task[] = []
  #unread: JobOutcome[] = []
  #active = 0
  #pulling = false
  #exhausted = false
  #failure: unknown
  #wake = Promise.withResolvers<void>()

  constructor(jobs: AsyncIterable<Job>, pool: NodePool, options: ScheduleOptions) {
    this.#source = jobs[Symbol.asyncIterator]()
    this.#pool = pool
    this.#options = options
    const onChange = () => this.#dispatch()
    const stopPool = pool.onChange(onChange)
    options.drain.addEventListener('abort', onChange)
    this.#stopListening = () => {
      stopPool()
      options.drain.removeEventListener('abort', onChange)
    }
  }

  async *outcomes(): AsyncGenerator<JobOutcome> {
    this.#dispatch()
    for (;;) {
      while (this.#unread.length > 0) {
        yield this.#unread.shift()!
        this.#dispatch()
      }
      if (this.#finished()) {
        if (this.#failure !== undefined) throw this.#failure
        return
      }
      await this.#wake.promise
      this.#wake = Promise.withResolvers()
    }
  }

  async close(): Promise<void> {
    this.#stopListening()
    this.#closed.abort()
    // A source that is being pulled answers return() only after that pull, which may wait for its input.
    if (!this.#pulling) await this.#source.return?.()
  }

  #finished(): boolean {
    if (this.#active > 0) return false
    if (this.#ending()) return true
    return this.#exhausted && !this.#pulling && this.#waiting.length === 0
  }

  /** Nothing new starts; what is in work still ends. */
  #ending(): boolean {
    return this.#options.drain.aborted || this.#failure !== undefined
  }

  #dispatch(): void {
    while (!this.#ending() && this.#unread.length < maxUnread && this.#startOne()) {}
    this.#wake.resolve()
  }

  /** Starts one attempt or one pull; false when there is nothing to start. */
  #startOne(): boolean {
    const candidates = this.#candidates()
    if (!candidates.some((candidate) => candidate.free > 0)) return false
    for (const [index, task] of this.#waiting.entries()) {
      const chosen = place(candidates, task.history.failedOn)
      if (!chosen) continue
      this.#waiting.splice(index, 1)
      void this.#attempt(task, this.#pool.nodes.find((node) => node.name === chosen.name)!)
      return true
    }
    // Jobs that wait for another try count: a node that fails at once must not empty the source into memory.
    const slots = this.#pool.nodes.reduce((sum, node) => sum + node.slots, 0)
    if (!this.#pulling && !this.#exhausted && this.#waiting.length < slots) void this.#pull()
    return false
  }

  #candidates() {
    return this.#pool.nodes
      .filter((node) => node.slots > 0)
      .map((node) => {
        const { inFlight, rate, pauses } = this.#lane(node.name)
        const free = pauses > 0 ? 0 : node.slots - inFlight
        return { name: node.name, free, inFlight, rate: rate.value }
      })
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name)
    if (known) return known
    const lane = { inFlight: 0, rate: new Rate(), faults: 0, pauses: 0 }
    this.#lanes.set(name, lane)
    return lane
  }

  async #pull(): Promise<void> {
    this.#pulling = true
    try {
      const { done, value } = await this.#source.next()
      if (done) this.#exhausted = true
      else this.#enqueue(value)
    } catch (error) {
      this.#failure = error
    }
    this.#pulling = false
    this.#dispatch()
  }

  #enqueue(job: Job): void {
    const history: JobHistory = { attempts: 0, kills: [], failedOn: new Set() }
    this.#waiting.push({ job, history, tries: 0 })
  }

  async #attempt(task: Task, node: SchedulableNode): Promise<void> {
    const { clock, run, epoch, pipeline, deadlineMs, onAttempt } = this.#options
    const lane = this.#lane(node.name)
    const attempt = ++task.tries
    const about = { job: task.job.id, attempt, node: node.name }
    this.#active++
    const parallel = ++lane.inFlight
    const started = clock.now()
    onAttempt?.({ ...about, state: 'started' })
    try {
      const result = await node.predict({ job: task.job, attempt, epoch, run, pipeline, deadlineMs })
      const milliseconds = clock.now() - started
      lane.faults = 0
      lane.rate.completed(clock.now(), milliseconds, parallel)
      onAttempt?.({ ...about, state: 'done' })
      this.#unread.push({ state: 'done', job: task.job, node: node.name, attempts: attempt, result, milliseconds })
    } catch (thrown) {
      const error = toCpnError(thrown)
      onAttempt?.({ ...about, state: 'failed', error })
      this.#failed(task, node.name, error)
    } finally {
      this.#active--
      lane.inFlight--
      this.#dispatch()
    }
  }

  #failed(task: Task, node: string, error: CpnError): void {
    const usable = this.#pool.nodes.filter(({ slots }) => slots > 0).map(({ name }) => name)
    const verdict = judge(error, node, task.history, usable)
    if (verdict === 'fail' || verdict === 'quarantine') {
      const state = verdict === 'fail' ? 'failed' : 'quarantined'
      this.#unread.push({ state, job: task.job, attempts: task.tries, error })
      return
    }
    this.#waiting.push(task)
    this.#pause(this.#lane(node), verdict === 'busy')
  }

  /**
   * Gives a node nothing for a while: its next failure may come as fast as the last, so that pauses grow. A busy one
   * frees a slot by itself. The job does not pause: another node may take it at once.
   */
  #pause(lane: Lane, busy: boolean): void {
    const { clock, random } = this.#options
    // All that a lost host had in work fails at once: that is one fault.
    if (lane.pauses++ === 0 && !busy) lane.faults++
    // The timer says when the pause is over, not the clock: timers fire a little early.
    clock.sleep(backoffMs(busy ? 2 : lane.faults, random), this.#closed.signal).then(
      () => {
        lane.pauses--
        this.#dispatch()
      },
      () => {},
    )
  }
}
