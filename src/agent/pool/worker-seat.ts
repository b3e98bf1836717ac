import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { CpnError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import { residentBytes } from '../process/resident-memory.ts'
import type { FromWorker, ToWorker } from '../worker-messages.ts'
import { crashed, workerError } from './worker-errors.ts'

export type WorkerResult = Omit<Extract<FromWorker, { type: 'done' }>, 'type' | 'id'>

export interface SeatOptions {
  launch: () => ChildProcess
  logger: Logger
  /** Resident bytes at which the worker is replaced once its job is done. */
  rssLimitBytes: number
  /** Called when the seat can take a job, when its worker came or went. */
  onChange: () => void
}

interface CurrentJob {
  id: number
  resolve: (result: WorkerResult) => void
  reject: (error: CpnError) => void
}

const exitGraceMs = 2000

/** Milliseconds before a worker is started again after `crashes` in a row without a finished job. */
export function restartDelayMs(crashes: number): number {
  return Math.min(30_000, 100 * 2 ** (crashes - 1))
}

/** A place for one worker process, which is filled again whenever the process dies. */
export class WorkerSeat {
  readonly #options: SeatOptions
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #providers: string[] | undefined
  #job: CurrentJob | undefined
  #lastId = 0
  #crashes = 0
  #retiring = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  /** How often the worker was replaced. */
  restarts = 0

  constructor(options: SeatOptions) {
    this.#options = options
  }

  /** Execution providers of the worker; undefined until it is ready. */
  get executionProviders(): string[] | undefined {
    return this.#providers
  }

  get ready(): boolean {
    return this.#providers !== undefined
  }

  get free(): boolean {
    return this.ready && this.#job === undefined && !this.#retiring
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    const child = this.#options.launch()
    this.#child = child
    logLines(child.stdout, (line) => this.#options.logger.info({ worker: child.pid }, line))
    logLines(child.stderr, (line) => this.#options.logger.warn({ worker: child.pid }, line))
    child.on('message', (message) => this.#receive(message as FromWorker))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exited = promise
    child.once('exit', (code, signal) => {
      resolve()
      this.#gone(signal ? `signal ${signal}` : `exit code ${code}`)
    })
    // A process that could not be started has no exit; one that runs reports its exit as well.
    child.on('error', (error) => {
      if (child.pid !== undefined) return
      resolve()
      this.#gone(error.message)
    })
    this.#options.onChange()
  }

  /** Runs one job on a free seat. Rejects with the worker's error or CPN_ERR_WORKER_CRASHED. */
  run(image: Uint8Array, pipeline: Pipeline): Promise<WorkerResult> {
    const { promise, resolve, reject } = Promise.withResolvers<WorkerResult>()
    this.#lastId += 1
    this.#job = { id: this.#lastId, resolve, reject }
    const message: ToWorker = { type: 'job', id: this.#lastId, image, pipeline }
    // A broken channel is followed by the process's exit, which ends the job.
    this.#child?.send(message, () => {})
    return promise
  }

  /** Ends the job in work with `error` and its worker at once; another worker takes the seat. */
  abandon(error: CpnError): void {
    this.#job?.reject(error)
    this.#job = undefined
    this.#providers = undefined
    this.#child?.kill('SIGKILL')
  }

  /** Lets the worker go and does not replace it. A job in work is ended. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#dismiss()
  }

  async #dismiss(): Promise<void> {
    const child = this.#child
    if (!child) return
    if (child.connected) child.disconnect()
    const timer = setTimeout(() => child.kill('SIGKILL'), exitGraceMs)
    await this.#exited
    clearTimeout(timer)
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready') {
      this.#providers = message.executionProviders
      this.#options.onChange()
      return
    }
    if (message.id !== this.#job?.id) return
    const job = this.#job
    this.#job = undefined
    this.#crashes = 0
    if (message.type === 'done') job.resolve({ answer: message.answer, parts: message.parts })
    else job.reject(workerError(message.error))
    this.#retireWhenLarge()
    this.#options.onChange()
  }

  #retireWhenLarge(): void {
    const rssBytes = residentBytes(this.pid)
    if (rssBytes <= this.#options.rssLimitBytes) return
    this.#retiring = true
    this.#options.logger.info({ worker: this.pid, rssBytes }, 'worker is replaced: it has grown too large')
    this.#dismiss()
  }

  #gone(reason: string): void {
    const { logger, onChange } = this.#options
    const pid = this.pid
    this.#child = undefined
    this.#providers = undefined
    if (!this.#closed) this.#scheduleRestart(pid, reason)
    this.#retiring = false
    this.#job?.reject(crashed(reason))
    this.#job = undefined
    if (this.#closed) logger.info({ worker: pid, reason }, 'worker ended')
    onChange()
  }

  #scheduleRestart(pid: number | undefined, reason: string): void {
    if (!this.#retiring) this.#crashes += 1
    this.restarts += 1
    const delayMs = this.#retiring ? 0 : restartDelayMs(this.#crashes)
    if (!this.#retiring) this.#options.logger.error({ worker: pid, reason, delayMs }, 'worker died')
    this.#timer = setTimeout(() => this.start(), delayMs)
  }
}

function logLines(stream: Readable | null, log: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on('line', (line) => log(line.slice(0, 2000)))
}
