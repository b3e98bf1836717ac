import type { Readable } from 'node:stream'
import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { createConnector } from '../../transport/connector.ts'
import { type RemoteEvents, type RemoteTask, runOnHost } from './run-remote-host.ts'
import { Spool } from './run-remote-stdin.ts'

export interface RunRemoteOptions extends RemoteEvents {
  inventory: Inventory
  /** At least one pattern. */
  hosts: string[]
  /** Words that are joined by spaces to one line for the remote user's shell, as ssh does it. */
  command: string[]
  /** Run it as root. */
  sudo: boolean
  /** Milliseconds that the command may take on each host; without it as long as it wants. */
  timeoutMs?: number | undefined
  /** Hosts at once. */
  parallel: number
  /** Hosts that have to be finished before the next ones begin; without it all are one batch. */
  batch?: number | undefined
  /** No further host begins once more than this have failed. */
  maxFail: number
  /** Every host's command gets all of it. */
  stdin?: Readable | undefined
  /** Keep the output for the results. */
  keepOutput: boolean
}

/** How the command went on one host. */
export interface RemoteResult {
  name: string
  /** null when it was ended by a signal, or never ran to its end. */
  exitCode: number | null
  signal: string | null
  /** What came until the end, also of a command that was cut off; its first 4 MiB. Empty unless it is kept. */
  stdout: string
  stderr: string
  /** From the connection to the exit. */
  seconds: number
  /** Why the command did not run to its end. */
  error: CpnError | null
  /** The host was connected to. */
  reached: boolean
}

/** Runs a command on hosts; a host that fails delays and ends no other. The results are in the order of the hosts. */
export async function runRemote(options: RunRemoteOptions, ctx: Context): Promise<RemoteResult[]> {
  const { inventory, stdin } = options
  const hosts = selectSomeHosts(inventory, options.hosts)
  const { knownHostsFile } = await openState(inventory.stateDir)
  const { prompter, logger, signal } = ctx
  await using connector = createConnector({ hosts: inventory.hosts, knownHostsFile, prompter, logger })
  await using spool = stdin && (await Spool.of(stdin))
  const task = taskOf(options, spool, ctx)
  let failed = 0
  const run = async (host: Host): Promise<RemoteResult> => {
    if (failed > options.maxFail) return notRun(host, failed)
    const result = await runOnHost(connector, host, task, signal)
    if (hasFailed(result)) failed++
    return result
  }
  const results: RemoteResult[] = []
  for (const batch of batchesOf(hosts, options.batch)) results.push(...(await runBatch(batch, run, options.parallel)))
  return results
}

/** True unless the command ran to its end and was content. */
export function hasFailed({ exitCode, error }: RemoteResult): boolean {
  return error !== null || exitCode !== 0
}

function taskOf(options: RunRemoteOptions, stdin: Spool | undefined, { prompter }: Context): RemoteTask {
  const { command, sudo, timeoutMs, keepOutput, onLine, onEnd } = options
  let asked: Promise<string> | undefined
  // One question however many hosts ask for it.
  const password = (): Promise<string> => {
    asked ??= prompter.secret('Password for sudo (goes to every selected host that wants one): ')
    return asked
  }
  return {
    script: command.join(' '),
    sudo: sudo ? { password } : undefined,
    timeoutMs,
    stdin,
    keepOutput,
    onLine,
    onEnd,
  }
}

function batchesOf(hosts: Host[], size = hosts.length): Host[][] {
  return Array.from({ length: Math.ceil(hosts.length / size) }, (_, index) =>
    hosts.slice(index * size, (index + 1) * size),
  )
}

async function runBatch(
  hosts: Host[],
  run: (host: Host) => Promise<RemoteResult>,
  parallel: number,
): Promise<RemoteResult[]> {
  const results: RemoteResult[] = []
  const waiting = hosts.entries()
  const work = async (): Promise<void> => {
    for (const [index, host] of waiting) results[index] = await run(host)
  }
  await Promise.all(Array.from({ length: Math.min(parallel, hosts.length) }, work))
  return results
}

function notRun({ name }: Host, failed: number): RemoteResult {
  const message = `not run: ${failed} ${failed === 1 ? 'host' : 'hosts'} failed before`
  const error = new CpnError('CPN_ERR_NOT_RUN', message, {
    host: name,
    suggestions: ['Look at the hosts that failed, then run the command on the rest, or allow more with --max-fail.'],
  })
  return { name, exitCode: null, signal: null, stdout: '', stderr: '', seconds: 0, error, reached: false }
}
