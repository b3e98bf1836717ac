import type { Clock } from '../../../src/common/clock.ts'
import { CpnError } from '../../../src/common/errors.ts'
import type { Pipeline } from '../../../src/protocol/pipeline.ts'
import { type ScheduleOptions, schedule } from '../../../src/scheduler/schedule.ts'
import type {
  AttemptRequest,
  Job,
  JobOutcome,
  NodePool,
  NodeResult,
  SchedulableNode,
} from '../../../src/scheduler/scheduler.ts'

/** A clock that jumps from one sleeper's end to the next as soon as nothing else can happen. */
export class SimulatedClock implements Clock {
  #now = 0
  #sleepers: { at: number; wake: () => void }[] = []
  #turning = false

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { at: this.#now + ms, wake: resolve }
    this.#sleepers.push(sleeper)
    const onAbort = () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
      reject(signal?.reason)
    }
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort)
    this.#turn()
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  #turn(): void {
    if (this.#turning) return
    this.#turning = true
    // Everything that can run without time passing runs before the next macrotask.
    setImmediate(() => {
      this.#turning = false
      const next = Math.min(...this.#sleepers.map((sleeper) => sleeper.at))
      if (!Number.isFinite(next)) return
      this.#now = Math.max(this.#now, next)
      const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now)
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now)
      for (const sleeper of due) sleeper.wake()
      if (this.#sleepers.length > 0) this.#turn()
    })
  }
}

/** How a simulated node answers: milliseconds it takes, or the error it ends with after them. */
export type Behaviour = (job: Job, request: AttemptRequest) => { ms: number; error?: CpnError }

export class SimulatedNode implements SchedulableNode {
  slots: number
  readonly name: string
  inFlight = 0
  mostInFlight = 0
  /** Ids of jobs that were sent here, in order. */
  readonly seen: string[] = []
  readonly #clock: Clock
  readonly #behaviour: Behaviour

  constructor(name: string, slots: number, clock: Clock, behaviour: Behaviour) {
    this.name = name
    this.slots = slots
    this.#clock = clock
    this.#behaviour = behaviour
  }

  async predict(request: AttemptRequest): Promise<NodeResult> {
    this.seen.push(request.job.id)
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      const { ms, error } = this.#behaviour(request.job, request)
      await this.#clock.sleep(ms, request.signal)
      if (error) throw error
      const { job, attempt, epoch } = request
      return {
        answer: { job: job.id, attempt, epoch, width: 1, height: 1, faces: [], parts: [], timings: {} },
      }
    } finally {
      this.inFlight--
    }
  }
}

export class SimulatedPool implements NodePool {
  readonly nodes: SimulatedNode[]
  readonly #listeners = new Set<() => void>()

  constructor(nodes: SimulatedNode[]) {
    this.nodes = nodes
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

export const job = (id: string): Job => ({ id, bytes: 1, read: async () => Buffer.alloc(1) })

export async function* jobs(count: number): AsyncGenerator<Job> {
  for (let index = 0; index < count; index++) yield job(`job${index}`)
}

export function lostHost(): CpnError {
  return new CpnError('CPN_ERR_CONNECTION_LOST', 'cut', { retryable: true })
}

export function crashedWorker(): CpnError {
  return new CpnError('CPN_ERR_WORKER_CRASHED', 'SIGSEGV', { retryable: true })
}

/** Runs a schedule to its end and returns the outcomes in order. */
export async function run(
  source: AsyncIterable<Job>,
  pool: NodePool,
  clock: Clock,
  options: Partial<ScheduleOptions> = {},
): Promise<JobOutcome[]> {
  const outcomes: JobOutcome[] = []
  const never = new AbortController().signal
  const all = {
    run: 'run',
    epoch: 1,
    pipeline: { detector: { scoreThreshold: 0.5 }, maxPixels: 1 } as Pipeline,
    clock,
    random: () => 0.5,
    drain: never,
    ...options,
  }
  for await (const outcome of schedule(source, pool, all)) outcomes.push(outcome)
  return outcomes
}
