import { Listr } from 'listr2'
import { CpnError, toCpnError } from '../common/errors.ts'
import { renderError } from './error.ts'
import { printable } from './format.ts'
import { LiveRenderer } from './live-renderer.ts'
import { canBeLive, printLine } from './terminal.ts'

export interface HostTaskOptions {
  /** What is going on, in a few words; printed once. */
  title: string
  /** Hosts in work at once. */
  concurrency: number
  /** Default: whether stderr is a terminal. */
  live?: boolean
  /** Hosts that have not begun when it aborts are not begun. Those in work end when `run` does. */
  signal?: AbortSignal
}

export interface HostOutcome<T> {
  host: string
  /** Absent when the host failed. */
  result?: T
  error?: CpnError
}

/**
 * Says what is going on on a host: replaces its line in a live list, adds one elsewhere. `passing` says things that are
 * worth showing only while they last.
 */
export type Report = (line: string, options?: { passing?: boolean }) => void

/** Work on one host; `summary` is what remains of its line. */
export type HostTask<T> = (
  host: string,
  report: Report,
) => Promise<{
  result: T
  summary: string
}>

/**
 * Runs a task on every host and shows one line per host on stderr: live on a terminal, `host: line` elsewhere. What
 * went wrong is told whole: at once where there is no live list, below it else. Never rejects; outcomes come in the order of `hosts`.
 */
export async function runHostTasks<T>(
  hosts: string[],
  run: HostTask<T>,
  options: HostTaskOptions,
): Promise<HostOutcome<T>[]> {
  if (hosts.length === 0) return []
  const live = options.live ?? canBeLive()
  const outcomes = new Map<string, HostOutcome<T>>()
  if (options.title) printLine(printable(options.title))
  const tasks = hosts.map((host) => ({
    title: host,
    task: async (_context: unknown, task: { title: string }) => {
      const show: Report = (line, { passing = false } = {}) => {
        if (live) task.title = `${host}: ${oneLine(line)}`
        else if (!passing) printLine(`${host}: ${oneLine(line)}`)
      }
      const outcome = await runOne(host, run, show, options.signal)
      outcomes.set(host, outcome)
      if (outcome.error && !live) printLine(renderError(outcome.error))
      // A throw is how listr2 learns that the task failed; its line is in the title already.
      if (outcome.error) throw outcome.error
    },
  }))
  const list = new Listr(tasks, {
    concurrent: Math.max(1, options.concurrency),
    exitOnError: false,
    registerSignalListeners: false,
    renderer: live ? LiveRenderer : 'silent',
  })
  await list.run()
  const inOrder = hosts.map((host) => outcomes.get(host)!)
  // A line of the list is cut to the width of the terminal.
  if (live) for (const { error } of inOrder) if (error) printLine(renderError(error))
  return inOrder
}

async function runOne<T>(
  host: string,
  run: HostTask<T>,
  show: Report,
  signal: AbortSignal | undefined,
): Promise<HostOutcome<T>> {
  try {
    signal?.throwIfAborted()
    const { result, summary } = await run(host, show)
    show(summary)
    return { host, result }
  } catch (thrown) {
    const error = aboutHost(host, interrupted(thrown, signal, host) ?? toCpnError(thrown))
    show(`${error.message} (${error.code})`, { passing: true })
    return { host, error }
  }
}

// An aborted fetch or wait says AbortError; the person said Ctrl-C.
function interrupted(thrown: unknown, signal: AbortSignal | undefined, host: string): CpnError | undefined {
  if (thrown instanceof CpnError || !signal?.aborted) return undefined
  return new CpnError('CPN_ERR_INTERRUPTED', 'interrupted', { host, cause: thrown })
}

function aboutHost(host: string, error: CpnError): CpnError {
  if (error.host !== undefined) return error
  const { code, message, suggestions, retryable, cause } = error
  return new CpnError(code, message, { host, suggestions, retryable, cause: cause ?? error })
}

function oneLine(text: string): string {
  return printable(text.split('\n', 1)[0] ?? '')
}
