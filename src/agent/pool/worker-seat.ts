import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Duplex, Readable } from 'node:stream'
import type { CpnError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { residentBytes } from '../process/resident-memory.ts'
import type { Answer } from '../server/answer.ts'
import { type Frame, FrameReader, packFrame } from '../worker-frames.ts'
import { type FromWorker, pipeFd, type ToWorker } from '../worker-messages.ts'
import { fromWorkerSchema } from './from-worker.ts'
import { crashed, workerError } from './worker-errors.ts'
import type { PoolJob } from './worker-pool.ts'

export interface SeatOptions {
  launch: () => ChildProcess
  logger: Logger
  /** Resident bytes at which the worker is replaced once its job is done. */
  rssLimitBytes: number
  /** Called when the seat can take a job, when its worker came or went. */
  onChange: () => void
}

interface CurrentJob {
  resolve: (answer: Answer) => void
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
  /** The worker's pipe: jobs go in, answers come out. */
  #pipe: Duplex | undefined
  #exited: Promise<void> = Promise.resolve()
  #providers: string[] | undefined
  /** Digest of the gallery that the worker has. */
  #gallery: string | undefined
  #job: CurrentJob | undefined
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
    this.#gallery = undefined
    logLines(child.stdout, (line) => this.#options.logger.info({ worker: child.pid }, line))
    logLines(child.stderr, (line) => this.#options.logger.warn({ worker: child.pid }, line))
    const frames = new FrameReader<unknown>(({ message, raw }) =>
      this.#receive({ message: fromWorkerSchema.parse(message), raw }),
    )
    const pipe = child.stdio[pipeFd] as Duplex
    pipe.on('data', (chunk: Buffer) => this.#read(frames, chunk))
    // It ends when the worker does, which is what ends a job.
    pipe.on('error', () => {})
    this.#pipe = pipe
    this.#watch(child)
    this.#options.onChange()
  }

  /** Runs one job on a free seat. Rejects with the worker's error or CPN_ERR_WORKER_CRASHED. */
  run({ order, image, gallery }: Pick<PoolJob, 'order' | 'image' | 'gallery'>): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#job = { resolve, reject }
    this.#pipe?.cork()
    const digest = order.matching?.gallery
    if (gallery && digest !== undefined && digest !== this.#gallery) {
      this.#send({ type: 'gallery', digest }, gallery)
      this.#gallery = digest
    }
    this.#send({ type: 'job', order }, image)
    this.#pipe?.uncork()
    return promise
  }

  /** Behind the job in work. */
  forgetGallery(): void {
    if (this.#gallery !== undefined) this.#send({ type: 'gallery', digest: '' }, [])
    this.#gallery = undefined
  }

  #send(message: ToWorker, raw: Uint8Array[]): void {
    for (const piece of packFrame(message, raw)) this.#pipe?.write(piece)
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
    if (this.#job) this.#child?.kill('SIGKILL')
    await this.#dismiss()
  }

  #watch(child: ChildProcess): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exited = promise
    let reason = ''
    child.on('error', ({ message }) => {
      reason = message
    })
    child.once('exit', (code, signal) => {
      reason = signal ? `signal ${signal}` : `exit code ${code}`
      this.#providers = undefined
    })
    // An answer that it had sent is read by then.
    child.once('close', () => {
      resolve()
      this.#gone(reason)
    })
  }

  async #dismiss(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#pipe?.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), exitGraceMs)
    await this.#exited
    clearTimeout(timer)
  }

  /** What is no message of ours ends the worker: its job fails as if it had crashed. */
  #read(frames: FrameReader<unknown>, chunk: Buffer): void {
    try {
      frames.push(chunk)
    } catch (error) {
      this.#options.logger.error(
        { worker: this.pid, reason: (error as Error).message },
        'worker sends what is no message',
      )
      this.#providers = undefined
      this.#pipe?.removeAllListeners('data').resume()
      this.#child?.kill('SIGKILL')
    }
  }

  #receive({ message, raw }: Frame<FromWorker>): void {
    if (message.type === 'ready') {
      this.#providers = message.executionProviders
      this.#options.onChange()
      return
    }
    const job = this.#job
    if (!job) return
    this.#job = undefined
    this.#crashes = 0
    if (message.type === 'done') job.resolve({ body: raw, jsonBytes: message.jsonBytes, digest: message.digest })
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
