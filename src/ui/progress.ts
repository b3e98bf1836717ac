import { Listr } from 'listr2'
import { formatDuration, formatRate, printable } from './format.ts'
import { LiveRenderer } from './live-renderer.ts'
import { canBeLive, printLine } from './terminal.ts'

const plainIntervalMs = 5000
const rateWindowMs = 10_000
const sampleMs = 200

export interface ProgressOptions {
  /** How many there will be, when it is known. */
  total?: number
  /** What is counted, plural: 'images'. */
  unit: string
  /** Default: whether stderr is a terminal. */
  live?: boolean
}

export interface ProgressExtra {
  total?: number
  failed?: number
  /** A few more words at the end of the line. */
  text?: string
}

export interface Progress {
  /** Things finished so far, whatever came of them. */
  update(done: number, extra?: ProgressExtra): void
  /** A line of its own, above the progress. */
  note(line: string): void
  /** Leaves `summary` in place of the progress; resolves when the terminal is free. */
  end(summary: string): Promise<void>
}

/** Shows on stderr how far the work is: one live line on a terminal, a line every few seconds elsewhere. */
export function startProgress(options: ProgressOptions): Progress {
  const meter = new Meter(options.unit, options.total)
  const show = (options.live ?? canBeLive()) ? liveLine() : plainLines(() => meter.line())
  return {
    update(done, extra) {
      meter.update(done, extra)
      show.update(meter)
    },
    note: (line) => printLine(printable(line)),
    end: (summary) => show.end(printable(summary)),
  }
}

/** Counts, rate and remaining time. */
export class Meter {
  readonly #unit: string
  readonly #now: () => number
  readonly #samples: { at: number; done: number }[]
  #extra: ProgressExtra
  #done = 0

  constructor(unit: string, total?: number, now = () => performance.now()) {
    this.#unit = unit
    this.#now = now
    this.#extra = { total }
    this.#samples = [{ at: now(), done: 0 }]
  }

  update(done: number, extra: ProgressExtra = {}): void {
    this.#done = done
    this.#extra = { ...this.#extra, ...extra }
    const at = this.#now()
    if (at - this.#samples.at(-1)!.at >= sampleMs) this.#samples.push({ at, done })
    while (this.#samples.length > 2 && at - this.#samples[1]!.at > rateWindowMs) this.#samples.shift()
  }

  /** Things per second over the last seconds. */
  rate(): number {
    const from = this.#samples[0]!
    const seconds = (this.#now() - from.at) / 1000
    return seconds > 0 ? (this.#done - from.done) / seconds : 0
  }

  line(): string {
    const { total, failed, text } = this.#extra
    const rate = this.rate()
    const left = total !== undefined && rate > 0 ? ((total - this.#done) / rate) * 1000 : undefined
    return [
      `${count(this.#done)}${total === undefined ? '' : ` of ${count(total)}`} ${this.#unit}`,
      rate > 0 ? `${formatRate(rate)} ${this.#unit}/s` : '',
      failed ? `${count(failed)} failed` : '',
      left !== undefined && left > 0 ? `${formatDuration(left)} left` : '',
      printable(text ?? ''),
    ]
      .filter(Boolean)
      .join(' · ')
  }
}

/** With commas between thousands. `toLocaleString` does the same, but loads its tables for 30 ms first. */
function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

interface Shown {
  update(meter: Meter): void
  end(summary: string): Promise<void>
}

function liveLine(): Shown {
  const { promise, resolve } = Promise.withResolvers<void>()
  let meter: Meter | undefined
  let line = 'starting'
  // listr2 begins the task a moment later: until then there is only what it will say.
  let task: { title: string } | undefined
  const say = (text: string) => {
    line = text
    if (task) task.title = text
  }
  const begin = (_context: unknown, begun: { title: string }) => {
    task = begun
    task.title = line
    return promise
  }
  const list = new Listr({ title: line, task: begin }, { renderer: LiveRenderer, registerSignalListeners: false })
  const run = list.run()
  // The rate falls and the remaining time grows although nothing finishes.
  const timer = setInterval(() => {
    if (meter) say(meter.line())
  }, sampleMs)
  return {
    update(updated) {
      meter = updated
      say(updated.line())
    },
    async end(summary) {
      clearInterval(timer)
      say(summary)
      resolve()
      await run
    },
  }
}

function plainLines(line: () => string): Shown {
  let changed = false
  const timer = setInterval(() => {
    if (changed) printLine(line())
    changed = false
  }, plainIntervalMs)
  timer.unref()
  return {
    update() {
      changed = true
    },
    async end(summary) {
      clearInterval(timer)
      printLine(summary)
    },
  }
}
