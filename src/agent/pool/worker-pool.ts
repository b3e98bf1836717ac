import type { ChildProcess } from 'node:child_process'
import { CpnError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { residentBytes } from '../process/resident-memory.ts'
import { RateMeter } from '../rates.ts'
import type { Answer } from '../server/answer.ts'
import type { Order } from '../worker-messages.ts'
import { WorkerSeat } from './worker-seat.ts'

export interface PoolOptions {
  workers: number
  launch: () => ChildProcess
  logger: Logger
  rssLimitBytes: number
  /** Called with the pids of the living workers whenever they change. */
  onWorkers?: (pids: number[]) => void
}

export interface PoolJob {
  order: Order
  /** The bytes of the image, cut anywhere. */
  image: Uint8Array[]
  /** Those of the gallery that the order names. */
  gallery?: Uint8Array[] | undefined
  /**
   * Milliseconds that it may wait for a worker (CPN_ERR_JOB_TIMEOUT), and milliseconds that a worker may take, which is
   * killed then (CPN_ERR_IMAGE_TIMEOUT).
   */
  deadlineMs: number
  /** Takes the job back while it waits; one in work is finished. */
  signal: AbortSignal
}

interface Entry {
  job: PoolJob
  resolve: (result: Answer) => void
  reject: (error: unknown) => void
  /** Where it is in work; undefined while it waits. */
  seat?: WorkerSeat
  /** Its deadline: for waiting, then for the work. */
  timer?: NodeJS.Timeout
}

/** Worker processes and the jobs that wait for them, first come, first served. */
export class WorkerPool {
  readonly #seats: WorkerSeat[]
  readonly #rate = new RateMeter(() => performance.now())
  readonly #options: PoolOptions
  #waiting: Entry[] = []
  #readyOnce = Promise.withResolvers<void>()
  #knownPids = ''
  #done = 0

  constructor(options: PoolOptions) {
    this.#options = options
    const onChange = () => this.#changed()
    this.#seats = Array.from({ length: options.workers }, () => new WorkerSeat({ ...options, onChange }))
  }

  get workers(): number {
    return this.#seats.length
  }

  get workersReady(): number {
    return this.#seats.filter((seat) => seat.ready).length
  }

  /** Jobs that got an answer or an error of their own since the start. */
  get done(): number {
    return this.#done
  }

  get restarts(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.restarts, 0)
  }

  get executionProviders(): string[] {
    return this.#seats.find((seat) => seat.ready)?.executionProviders ?? []
  }

  /** Resident memory of all workers together. */
  rssBytes(): number {
    return this.#seats.reduce((sum, seat) => sum + residentBytes(seat.pid), 0)
  }

  imagesPerSecond(): number {
    return this.#rate.imagesPerSecond()
  }

  /** Starts all workers at once. */
  start(): void {
    for (const seat of this.#seats) seat.start()
  }

  /** Resolves when the first worker is ready for the first time. */
  whenReady(): Promise<void> {
    return this.#readyOnce.promise
  }

  /** Waits for a free worker and runs the job there. */
  async run(job: PoolJob): Promise<Answer> {
    job.signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const entry: Entry = { job, resolve, reject }
    entry.timer = setTimeout(() => this.#withdraw(entry, waitedTooLong(job)), job.deadlineMs)
    const onAbort = () => this.#withdraw(entry, job.signal.reason)
    job.signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.push(entry)
    this.#dispatch()
    return promise.finally(() => {
      clearTimeout(entry.timer)
      job.signal.removeEventListener('abort', onAbort)
    })
  }

  /** Nothing of people stays in the workers' memory. */
  forgetGallery(): void {
    for (const seat of this.#seats) seat.forgetGallery()
  }

  /** Ends all workers; jobs in work fail. */
  async close(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.close()))
  }

  #dispatch(): void {
    for (const seat of this.#seats) {
      if (!seat.free) continue
      const entry = this.#waiting.shift()
      if (!entry) return
      this.#begin(entry, seat)
    }
  }

  #begin(entry: Entry, seat: WorkerSeat): void {
    entry.seat = seat
    clearTimeout(entry.timer)
    entry.timer = setTimeout(() => seat.abandon(tookTooLong(entry.job)), entry.job.deadlineMs)
    this.#rate.started()
    seat.run(entry.job).then(
      (result) => {
        this.#count(true)
        entry.resolve(result)
      },
      (error: CpnError) => {
        this.#count(error.code !== 'CPN_ERR_WORKER_CRASHED' && error.code !== 'CPN_ERR_IMAGE_TIMEOUT')
        entry.reject(error)
      },
    )
  }

  #count(outcome: boolean): void {
    this.#rate.ended(outcome)
    if (outcome) this.#done += 1
  }

  #withdraw(entry: Entry, reason: unknown): void {
    if (entry.seat) return
    this.#waiting = this.#waiting.filter((other) => other !== entry)
    entry.reject(reason)
  }

  #changed(): void {
    if (this.workersReady > 0) this.#readyOnce.resolve()
    const pids = this.#seats.map((seat) => seat.pid).filter((pid) => pid !== undefined)
    if (pids.join() !== this.#knownPids) this.#options.onWorkers?.(pids)
    this.#knownPids = pids.join()
    this.#dispatch()
  }
}

function waitedTooLong({ deadlineMs }: PoolJob): CpnError {
  return new CpnError('CPN_ERR_JOB_TIMEOUT', `no worker was free for ${deadlineMs} ms`, { retryable: true })
}

function tookTooLong({ deadlineMs }: PoolJob): CpnError {
  return new CpnError('CPN_ERR_IMAGE_TIMEOUT', `a worker was not done with the image after ${deadlineMs} ms`, {
    retryable: true,
  })
}
