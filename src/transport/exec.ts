import { Readable, type Writable } from 'node:stream'
import { withDeadline } from '../common/deadline.ts'
import { CpnError } from '../common/errors.ts'
import { collect } from './collect.ts'
import type { ExecOptions, ExecResult, RemoteProcess } from './transport.ts'

/** Bytes kept of stdout and of stderr each. */
const defaultMaxOutputBytes = 4 * 1024 * 1024
const defaultTimeoutMs = 60_000

/** Starts the script of an exec; ends it when the signal aborts. */
export type Start = (signal: AbortSignal) => Promise<RemoteProcess>

/** Runs a process to its end and collects its output, under a deadline. */
export function runToEnd(host: string, start: Start, options: ExecOptions = {}): Promise<ExecResult> {
  const { timeoutMs = defaultTimeoutMs, signal } = options
  return withDeadline(
    timeoutMs,
    () => timeout(host, timeoutMs),
    (ended) => run(start, options, ended),
    signal,
  )
}

async function run(start: Start, options: ExecOptions, ended: AbortSignal): Promise<ExecResult> {
  const { stdin, maxOutputBytes = defaultMaxOutputBytes } = options
  const process = await start(ended)
  if (stdin) feed(stdin, process.stdin)
  try {
    const output = [collect(process.stdout, maxOutputBytes), collect(process.stderr, maxOutputBytes)]
    const texts = Promise.all(output)
    // The exit tells more than a stream that breaks with it.
    texts.catch(() => undefined)
    const exit = await process.exited
    const [stdout = '', stderr = ''] = await texts
    return { ...exit, stdout, stderr }
  } catch (error) {
    process.destroy()
    throw error
  } finally {
    // A process that ends early leaves a source in the middle of a file.
    if (stdin instanceof Readable) stdin.destroy()
  }
}

/** A command may end without reading all of its stdin. */
function feed(stdin: Uint8Array | Readable, target: Writable): void {
  target.on('error', () => undefined)
  if (!(stdin instanceof Readable)) return void target.end(stdin)
  stdin.on('error', (error) => target.destroy(error))
  stdin.pipe(target)
}

function timeout(host: string, ms: number): CpnError {
  return new CpnError('CPN_ERR_REMOTE_TIMEOUT', `a command on ${host} did not end within ${ms / 1000} s`, {
    host,
    retryable: true,
    suggestions: ['Look at what the host is busy with, or allow more time where the command takes a timeout.'],
  })
}
