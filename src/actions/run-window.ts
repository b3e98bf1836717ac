import { parseLogLine, timeOf } from '../common/log-lines.ts'
import type { LogRecord } from './log-source.ts'

/** When a run went on, and which processes on this machine were at it. */
export interface RunWindow {
  /** Milliseconds since 1970. */
  began: number
  /** True for what names the run, and for what nobody says which run it belongs to while it went on. */
  includes(record: LogRecord): boolean
}

/** Lines that the clocks of nodes put a little outside still belong to it. */
const marginMs = 2000

/** Undefined when the lines say nothing of the run. */
export function windowOf(lines: string[], run: string): RunWindow | undefined {
  const records = lines.map(parseLogLine).filter((record) => record?.run === run)
  const times = records.map((record) => timeOf(record!)).filter((time) => !Number.isNaN(time))
  if (times.length === 0) return undefined
  const began = Math.min(...times) - marginMs
  const ended = records.some((record) => record!.event === 'run-ended')
    ? Math.max(...times) + marginMs
    : Number.POSITIVE_INFINITY
  const processes = new Set(records.map((record) => record!.pid))
  return {
    began,
    includes: ({ time, source, fields }) => {
      if (fields.run !== undefined) return fields.run === run
      return time >= began && time <= ended && (source !== undefined || processes.has(fields.pid))
    },
  }
}
