import type { Readable } from 'node:stream'
import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import { type AgentPlace, agentCommand, agentError, findAgent, runAgentProgram } from '../../fleet/connect-agent.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { openState } from '../../inventory/state.ts'
import { type Connector, createConnector } from '../../transport/connector.ts'

/** Runs the agents' own program on hosts: start, stop, logs. */
export interface AgentControl extends AsyncDisposable {
  /** Starts the agent; also one that was stopped on purpose. */
  start(host: Host): Promise<StartReport>
  /** Stops the agent and keeps it stopped. Drains first unless `now`. */
  stop(host: Host, options: { now: boolean }): Promise<void>
  /** What `cpn-agent logs` prints with these flags, a line at a time, until the context's signal aborts. */
  logs(host: Host, flags: string): AsyncGenerator<string>
}

export interface StartReport {
  supervisor: 'systemd-user' | 'keeper'
  /** systemd-user only: the agent outlives the last logout. */
  linger: boolean | null
  alreadyRunning: boolean
}

/** Longer than the agent's own deadline for draining. */
const stopTimeoutMs = 180_000
const maxErrorChars = 10_000
/** A line of a log may be as long; what a host says beyond is left out. */
const maxLineChars = 64 * 1024

export async function openAgentControl(inventory: Inventory, ctx: Context): Promise<AgentControl> {
  const state = await openState(inventory.stateDir)
  const connector = createConnector({
    hosts: inventory.hosts,
    knownHostsFile: state.knownHostsFile,
    prompter: ctx.prompter,
    logger: ctx.logger,
  })
  return {
    start: async (host) => {
      const report = await runAgent(connector, host, state.fleetId, 'start', ctx)
      await state.recordHostEvent(host.name, { event: 'started' })
      return report as StartReport
    },
    stop: async (host, { now }) => {
      await runAgent(connector, host, state.fleetId, now ? 'stop --now' : 'stop', ctx)
      await state.recordHostEvent(host.name, { event: 'stopped' })
    },
    logs: (host, flags) => logs(connector, host, state.fleetId, flags, ctx),
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}

async function runAgent(connector: Connector, host: Host, fleetId: string, command: string, { signal }: Context) {
  await using transport = await connector.open(host, signal)
  const place = await findAgent(transport, host, fleetId, signal)
  if (command !== 'start') assertAgent(place, host.name, 'nothing to stop')
  const options = { signal, timeoutMs: stopTimeoutMs }
  const { exitCode, stdout, stderr } = await runAgentProgram(transport, place, command, options)
  if (exitCode === 0) return JSON.parse(stdout)
  throw agentError(stderr, host.name)
}

// Who wants to stop an agent, or read what it did, is not helped by installing one.
function assertAgent({ state }: AgentPlace, host: string, soThereIs: string): void {
  if (state !== 'unprovisioned') return
  const message = `there is no agent of this fleet on the host, so there is ${soThereIs}`
  throw new CpnError('CPN_ERR_NODE_UNPROVISIONED', message, {
    host,
    suggestions: ['See which hosts have an agent: cpn status'],
  })
}

async function* logs(
  connector: Connector,
  host: Host,
  fleetId: string,
  flags: string,
  { signal }: Context,
): AsyncGenerator<string> {
  await using transport = await connector.open(host, signal)
  const place = await findAgent(transport, host, fleetId, signal)
  assertAgent(place, host.name, 'no log')
  const command = agentCommand(place, host.name, `logs ${flags}`)
  const remote = await transport.spawn(command.script, { signal, locked: command.locked })
  let stderr = ''
  remote.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-maxErrorChars)
  })
  const stop = () => remote.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    yield* linesOf(remote.stdout)
    const { exitCode } = await remote.exited
    if (exitCode !== 0 && !signal.aborted) throw agentError(stderr, host.name)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
    remote.destroy()
  }
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + chunk).split('\n')
    rest = (parts.pop() ?? '').slice(0, maxLineChars)
    for (const part of parts) yield part.slice(0, maxLineChars)
  }
  if (rest !== '') yield rest
}
