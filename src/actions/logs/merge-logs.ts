import { setTimeout as sleep } from 'node:timers/promises'
import type { LogRecord, LogSource } from './log-source.ts'

export interface MergeOptions {
  /** The last so many of what is there to begin with. */
  lines: number
  isWanted(record: LogRecord): boolean
  /** Sources go on after what they have. */
  follow: boolean
  /** A source broke, or, without an error, did not come to its end in time; the others go on. */
  onFailed(source: LogSource, error?: unknown): void
  signal: AbortSignal
}

/**
 * How long a source that has said nothing is waited for, and after which silence one has told what it had. What does not
 * go on ends by itself, unless something is wrong there.
 */
const patience = { followed: { startMs: 10_000, quietMs: 400 }, ending: { startMs: 60_000, quietMs: 20_000 } }
/** News are held back so long, so that a line that was on its way longer finds its place. */
const holdMs = 300
const pollMs = 50

/** Several logs as one, in the order of time: first what they have, then news as long as they go on. */
export class MergedLog {
  readonly #sources: LogSource[]
  readonly #options: MergeOptions
  #waiting: { record: LogRecord; arrived: number }[] = []
  readonly #heard = new Map<LogSource, number>()
  readonly #open: Set<LogSource>

  constructor(sources: LogSource[], options: MergeOptions) {
    this.#sources = sources
    this.#options = options
    this.#open = new Set(sources)
  }

  async *records(): AsyncGenerator<LogRecord> {
    for (const source of this.#sources) void this.#listen(source)
    await this.#backlog()
    const { lines, follow } = this.#options
    yield* lines === 0 ? [] : this.#take(Number.POSITIVE_INFINITY).slice(-lines)
    if (!follow) return
    while (this.#open.size > 0 && !this.#options.signal.aborted) {
      await this.#pause()
      yield* this.#take(performance.now() - holdMs)
    }
    yield* this.#take(Number.POSITIVE_INFINITY)
  }

  async #listen(source: LogSource): Promise<void> {
    try {
      for await (const record of source.records()) {
        const arrived = performance.now()
        this.#heard.set(source, arrived)
        if (this.#options.isWanted(record)) this.#waiting.push({ record, arrived })
      }
    } catch (error) {
      this.#options.onFailed(source, error)
    } finally {
      this.#open.delete(source)
    }
  }

  /** Waits until every source has ended, or has told what it had and waits for news. */
  async #backlog(): Promise<void> {
    const { follow, signal, onFailed } = this.#options
    const { startMs, quietMs } = follow ? patience.followed : patience.ending
    const begun = performance.now()
    const isTelling = (source: LogSource) => {
      const heard = this.#heard.get(source)
      return heard === undefined ? performance.now() - begun < startMs : performance.now() - heard < quietMs
    }
    while ([...this.#open].some(isTelling) && !signal.aborted) await this.#pause()
    if (!follow && !signal.aborted) for (const source of this.#open) onFailed(source)
  }

  /** What arrived until then, in order. */
  #take(until: number): LogRecord[] {
    const taken = this.#waiting.filter(({ arrived }) => arrived <= until)
    this.#waiting = this.#waiting.filter(({ arrived }) => arrived > until)
    return taken.map(({ record }) => record).sort((a, b) => a.time - b.time)
  }

  async #pause(): Promise<void> {
    await sleep(pollMs, undefined, { signal: this.#options.signal }).catch(() => {})
  }
}
