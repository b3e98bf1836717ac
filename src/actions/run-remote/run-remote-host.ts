import { pipeline } from 'node:stream/promises'
import { unlessAborted, withDeadline } from '../../common/deadline.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import type { Host } from '../../inventory/inventory.ts'
import type { Connector } from '../../transport/connector.ts'
import type { RemoteProcess, Transport } from '../../transport/transport.ts'
import type { RemoteResult } from './run-remote.ts'
import { OutputReader } from './run-remote-output.ts'
import type { Spool } from './run-remote-stdin.ts'
import { becomeRoot, type SudoPassword } from './run-remote-sudo.ts'

export interface RemoteEvents {
  /** A whole line of a host's output, without its end, as soon as it is there. */
  onLine?: ((host: string, stream: 'stdout' | 'stderr', line: string) => void) | undefined
  /** A host is done, or cannot be. */
  onEnd?: ((result: RemoteResult) => void) | undefined
}

export interface RemoteTask extends RemoteEvents {
  script: string
  sudo: SudoPassword | undefined
  timeoutMs: number | undefined
  stdin: Spool | undefined
  keepOutput: boolean
}

/** Runs a task on one host. What goes wrong is in the result. */
export async function runOnHost(
  connector: Connector,
  host: Host,
  task: RemoteTask,
  signal: AbortSignal,
): Promise<RemoteResult> {
  const startedAt = performance.now()
  const output = {
    stdout: new OutputReader(task.keepOutput, (line) => task.onLine?.(host.name, 'stdout', line)),
    stderr: new OutputReader(task.keepOutput, (line) => task.onLine?.(host.name, 'stderr', line)),
  }
  const ended: Pick<RemoteResult, 'exitCode' | 'signal' | 'error'> = { exitCode: null, signal: null, error: null }
  let transport: Transport | undefined
  try {
    transport = await connector.open(host, signal)
    Object.assign(ended, await runTask(transport, task, output, signal))
    await transport.close()
  } catch (error) {
    // Whatever runs there ends with the connection.
    transport?.destroy()
    ended.error = about(host, toCpnError(signal.aborted ? signal.reason : error))
  }
  output.stdout.end()
  output.stderr.end()
  const result = {
    name: host.name,
    ...ended,
    stdout: output.stdout.text,
    stderr: output.stderr.text,
    seconds: Math.round(performance.now() - startedAt) / 1000,
    reached: transport !== undefined,
  }
  task.onEnd?.(result)
  return result
}

type Output = Record<'stdout' | 'stderr', OutputReader>
type Exit = Awaited<RemoteProcess['exited']>

async function runTask(transport: Transport, task: RemoteTask, output: Output, signal: AbortSignal): Promise<Exit> {
  const stdin = task.stdin?.isEmpty ? undefined : task.stdin
  const start = await starterOf(transport, task, stdin !== undefined, signal)
  const run = (ended: AbortSignal): Promise<Exit> => runToExit(start, output, stdin, ended)
  const { timeoutMs } = task
  if (timeoutMs === undefined) return unlessAborted(run(signal), signal)
  return withDeadline(timeoutMs, () => timeout(transport.host, timeoutMs), run, signal)
}

interface Starter {
  spawn(signal: AbortSignal): Promise<RemoteProcess>
  /** Comes before the command's own stdin. */
  input: string
  /** True when stdin has to stay open until the exit. */
  isLifeline: boolean
}

async function starterOf(
  transport: Transport,
  { script, sudo }: RemoteTask,
  hasStdin: boolean,
  signal: AbortSignal,
): Promise<Starter> {
  const root = sudo && (await becomeRoot(transport, sudo, signal))
  if (!root)
    return {
      spawn: (ended) => transport.spawn(script, { signal: ended, stdin: hasStdin }),
      input: '',
      isLifeline: false,
    }
  const scriptOfRoot = root.wrap(script, hasStdin)
  return {
    spawn: (ended) => transport.spawn(scriptOfRoot, { signal: ended }),
    input: root.input,
    isLifeline: !hasStdin,
  }
}

async function runToExit(
  { spawn, input, isLifeline }: Starter,
  output: Output,
  stdin: Spool | undefined,
  signal: AbortSignal,
): Promise<Exit> {
  const process = await spawn(signal)
  // A command may end before it has read its stdin.
  process.stdin.on('error', () => undefined)
  // On this machine nothing else ends what root runs.
  signal.addEventListener('abort', () => process.stdin.destroy(), { once: true })
  if (input !== '') process.stdin.write(input)
  if (stdin) pipeline(stdin.read(), process.stdin).catch(() => undefined)
  const streams = Promise.all([output.stdout.read(process.stdout), output.stderr.read(process.stderr)])
  // The exit tells more than a stream that breaks with it.
  streams.catch(() => undefined)
  try {
    const exit = await process.exited
    await streams
    return exit
  } finally {
    if (isLifeline) process.stdin.end()
  }
}

function about({ name }: Host, error: CpnError): CpnError {
  const { code, message, suggestions, retryable, host = name, cause } = error
  return new CpnError(code, message, { suggestions, retryable, host, cause: cause ?? error })
}

function timeout(host: string, ms: number): CpnError {
  return new CpnError('CPN_ERR_REMOTE_TIMEOUT', `the command did not end within ${ms / 1000} s and was ended`, {
    host,
    retryable: true,
    suggestions: ['Look at what the host is busy with, or allow more time with --timeout.'],
  })
}
