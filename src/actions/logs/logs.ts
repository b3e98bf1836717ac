import { join } from 'node:path'
import type { Context } from '../../common/context.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import { followLog, type LogLevel, logEnd, logLevels, recentLines } from '../../common/log-lines.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { logFileName, statePaths } from '../../inventory/state.ts'
import { type AgentControl, openAgentControl } from '../nodes/control.ts'
import { type LogRecord, LogSource } from './log-source.ts'
import { MergedLog } from './merge-logs.ts'
import { type RunWindow, windowOf } from './run-window.ts'

export interface LogOptions {
  inventory: Inventory
  /** Patterns; empty means everything: all nodes and what was done here. */
  hosts: string[]
  /** Goes on with new lines until the context's signal aborts. */
  follow: boolean
  /** The last so many lines; without it as many as the other options let through. */
  lines?: number | undefined
  /** Not older than this: milliseconds since 1970, by the clock here. */
  since?: number | undefined
  level?: LogLevel | undefined
  /** Only what belongs to this run; its id, or `last`. */
  run?: string | undefined
}

const usualLines = 100
const mostLines = 200_000

/**
 * The logs of this machine and of nodes as one, in the order of time: what a node wrote is told by the clock here. A
 * node whose log cannot be read is told to `onError`, and the others are read. Rejects with CPN_ERR_HOST_UNKNOWN, and
 * with CPN_ERR_USAGE for a run that the log knows nothing of.
 */
export async function* readLogs(
  options: LogOptions,
  ctx: Context,
  onError: (error: CpnError) => void,
): AsyncGenerator<LogRecord> {
  const { inventory, run, follow, since, level } = options
  const hosts =
    options.hosts.length === 0 && inventory.hosts.length === 0 ? [] : selectSomeHosts(inventory, options.hosts)
  const window = run === undefined ? undefined : runWindow(inventory, run)
  const isNarrow = since !== undefined || level !== undefined || window !== undefined
  const lines = options.lines ?? (isNarrow ? mostLines : usualLines)
  const notBefore = Math.max(since ?? 0, window?.began ?? 0) || undefined
  await using control = await openAgentControl(inventory, ctx)
  const wanted = { follow, notBefore, level, lines: window ? mostLines : lines }
  const sources = [
    masterSource(inventory, wanted, ctx.signal),
    ...hosts.map((host) => new LogSource(host.name, () => nodeLines(control, host, wanted))),
  ]
  const only = options.hosts.length > 0 ? new Set(hosts.map(({ name }) => name)) : undefined
  const isWanted = (record: LogRecord) =>
    concerns(record, only) &&
    record.time >= (notBefore ?? 0) &&
    (level === undefined || logLevels.indexOf(record.level) >= logLevels.indexOf(level)) &&
    (window?.includes(record) ?? true)
  const onFailed = ({ name }: LogSource, error?: unknown) =>
    onError(error === undefined ? tooLate(name) : toCpnError(error))
  yield* new MergedLog(sources, { lines, follow, isWanted, onFailed, signal: ctx.signal }).records()
}

function tooLate(host: string | undefined): CpnError {
  return new CpnError('CPN_ERR_REMOTE_TIMEOUT', 'its log did not come to an end in time', {
    host,
    suggestions: ['Ask for less of it: --lines, --since.'],
  })
}

/** With patterns, of what was done here only what is about those hosts. */
function concerns({ source, fields }: LogRecord, only: Set<string> | undefined): boolean {
  return !only || source !== undefined || (typeof fields.host === 'string' && only.has(fields.host))
}

function runWindow(inventory: Inventory, run: string): RunWindow {
  const window = windowOf(recentLines(logFile(inventory), { lines: mostLines }), run)
  if (window) return window
  throw new CpnError('CPN_ERR_USAGE', `the log has nothing of a run ${run}`, {
    suggestions: ['Older lines may be rotated away; the ledger knows every run: cpn runs list'],
  })
}

const logFile = (inventory: Inventory) => join(statePaths(inventory.stateDir).logsDir, logFileName)

interface Wanted {
  follow: boolean
  notBefore: number | undefined
  level: LogLevel | undefined
  lines: number
}

function masterSource(inventory: Inventory, { follow, ...filter }: Wanted, signal: AbortSignal): LogSource {
  const file = logFile(inventory)
  return new LogSource(undefined, async function* () {
    const start = logEnd(file)
    yield* recentLines(file, filter)
    if (!follow) return
    for await (const text of followLog(file, start, signal)) yield* text.split('\n')
  })
}

async function* nodeLines(control: AgentControl, host: Host, wanted: Wanted): AsyncGenerator<string> {
  const { follow, notBefore, level, lines } = wanted
  const within = notBefore === undefined ? '' : ` --within ${Math.ceil((Date.now() - notBefore) / 1000) + 60}`
  const plain = `--lines ${lines}${follow ? ' --follow' : ''}`
  let said = 0
  try {
    for await (const line of control.logs(host, `${plain} --clock${within}${level ? ` --level ${level}` : ''}`)) {
      yield line
      // Whatever a node says beyond what it was asked for is not worth the memory.
      if (++said > lines + 1 && !follow) return
    }
  } catch (error) {
    // An agent of an older release knows no more than this.
    if (said > 0 || toCpnError(error).code !== 'CPN_ERR_USAGE') throw error
    yield* control.logs(host, plain)
  }
}
