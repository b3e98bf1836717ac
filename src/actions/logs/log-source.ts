import { type LogLevel, levelOf, parseLogLine, timeOf } from '../../common/log-lines.ts'
import { harmlessFields } from '../../common/logger.ts'

/** One line of a log. */
export interface LogRecord {
  /** Milliseconds since 1970, by the clock here. */
  time: number
  level: LogLevel
  /** Node that wrote it; undefined for this machine. */
  source: string | undefined
  /** `msg` of the line; all of a line that is not one of ours. */
  message: string
  /** Everything else that it says. */
  fields: Record<string, unknown>
}

/** Clocks that differ by less are taken for the same: the way of the answer counts as difference, too. */
const sameClockMs = 250

/** A log as it is read: its lines, and how far the clock that they were written by is ahead of the one here. */
export class LogSource {
  /** Inventory name; undefined for this machine. */
  readonly name: string | undefined
  readonly #lines: () => AsyncIterable<string>
  #aheadMs = 0
  #last = 0

  constructor(name: string | undefined, lines: () => AsyncIterable<string>) {
    this.name = name
    this.#lines = lines
  }

  async *records(): AsyncGenerator<LogRecord> {
    for await (const line of this.#lines()) {
      if (line === '') continue
      const parsed = parseLogLine(line)
      if (this.name !== undefined && parsed && typeof parsed.clock === 'string') this.#setClock(parsed.clock)
      else yield this.#record(line, parsed)
    }
  }

  #setClock(clock: string): void {
    const ahead = Date.parse(clock) - Date.now()
    if (Math.abs(ahead) >= sameClockMs) this.#aheadMs = ahead
  }

  #record(line: string, parsed: Record<string, unknown> | undefined): LogRecord {
    // A node may say anything, in any shape.
    const { time: _time, level: _level, msg, ...fields } = harmlessFields(parsed ?? { msg: line })
    const told = timeOf(parsed ?? {}) - this.#aheadMs
    // What has no time, or one that has not come yet, stands where it was found.
    const now = Date.now()
    const time = Number.isNaN(told) || told > now + sameClockMs ? this.#last || now : told
    this.#last = time
    return { time, level: levelOf(parsed ?? {}), source: this.name, message: textOf(msg), fields }
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
