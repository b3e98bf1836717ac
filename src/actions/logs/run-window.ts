import { parseLogLine, timeOf } from '../../common/log-lines.ts'
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

/** Of the run with that id, or of the `last` one that began. Undefined when the lines say nothing of it. */
export function windowOf(lines: string[], wanted: string): RunWindow | undefined {
  const all = lines.map(parseLogLine)
  const run = wanted === 'last' ? all.findLast((record) => record?.event === 'run-began')?.run : wanted
  if (run === undefined) return undefined
  const records = all.filter((record) => record?.run === run)
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
