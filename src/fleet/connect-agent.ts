import type { Duplex } from 'node:stream'
import { CpnError } from '../common/errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { placePattern } from '../protocol/locked-login.ts'
import { nodePaths } from '../protocol/paths.ts'
import { decodeError } from '../protocol/wire-errors.ts'
import { quote, quotePath } from '../transport/shell.ts'
import type { ExecOptions, ExecResult, Transport } from '../transport/transport.ts'
import type { AgentClient } from './agent-client.ts'

export interface ConnectAgentOptions {
  host: Host
  fleetId: string
  /** Parallel connections; a job in flight takes one, the event stream another. Default 2. */
  connections?: number
  /** False: an agent that is down stays down and is reported. Default true. */
  startIfDown?: boolean
  /** Called whenever something comes from the agent. */
  onLife?: () => void
  signal?: AbortSignal
}

/** What a host says about the fleet's agent before anybody talks to it. */
export interface AgentPlace {
  state: 'unprovisioned' | 'stopped' | 'provisioned'
  /** Absolute fleet folder on the host. */
  fleetDir: string
  /** The login's key is locked: nothing but the agent's program can be reached, and only some of what it does. */
  locked: boolean
}

/** Asks in one round trip whether the fleet has an agent on this host and where. Writes nothing. */
export async function findAgent(transport: Transport, host: Host, fleetId: string, signal?: AbortSignal) {
  const { stdout, locked } = await askPlace(transport, findAgentScript(host.remoteDir, fleetId), signal)
  const found = placePattern.exec(stdout)
  if (!found) {
    throw new CpnError('CPN_ERR_REMOTE_COMMAND', 'the host did not run a small shell script', {
      host: host.name,
      suggestions: [`Try it by hand: cpn hosts show ${host.name}, then ssh to it and run: /bin/sh -c 'echo works'`],
    })
  }
  return { state: found[1], fleetDir: found[2], locked } as AgentPlace
}

/** A host does not tell that a key is locked before it is asked for something. */
async function askPlace(transport: Transport, script: string, signal?: AbortSignal) {
  const options: ExecOptions = { timeoutMs: 20_000, ...(signal && { signal }) }
  try {
    return { ...(await transport.exec(script, options)), locked: false }
  } catch (error) {
    if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_KEY_LOCKED') throw error
    return { ...(await transport.exec('place', { ...options, locked: true })), locked: true }
  }
}

/** What reaches the agent's program with these words: a script, or with a locked key the words themselves. */
export function agentCommand(place: AgentPlace, host: string, words: string): { script: string; locked: boolean } {
  const program = agentProgramOf(place, host)
  return place.locked ? { script: words, locked: true } : { script: `${quote(program)} ${words}`, locked: false }
}

/** Runs the agent's program to its end. Throws CPN_ERR_NODE_UNPROVISIONED where there is none. */
export function runAgentProgram(
  transport: Transport,
  place: AgentPlace,
  words: string,
  options: ExecOptions,
): Promise<ExecResult> {
  const { script, locked } = agentCommand(place, transport.host, words)
  return transport.exec(script, { ...options, locked })
}

/** Absolute path on the host of the agent's own program. Throws CPN_ERR_NODE_UNPROVISIONED when there is none. */
export function agentProgramOf({ state, fleetDir }: AgentPlace, host: string): string {
  if (state !== 'unprovisioned') return `${fleetDir}/current/bin/cpn-agent`
  throw new CpnError('CPN_ERR_NODE_UNPROVISIONED', 'there is no agent of this fleet on the host', {
    host,
    suggestions: [`Install it: cpn provision ${host}`],
  })
}

/** Why a node does not get models that it lacks. */
export function modelsRefused(host: string, models: readonly { manifest: { name: string } }[]): CpnError {
  const names = models.map(({ manifest }) => manifest.name).join(', ')
  return new CpnError('CPN_ERR_KEY_LOCKED', `the node lacks ${names}, and a locked key sends no models`, {
    host,
    suggestions: [`Send them with another key: cpn provision ${host} --identity-file FILE`],
  })
}

/** Loads what talks to agents, a pool of connections with all that belongs to it: begun early, no host waits for it. */
export const loadClient = () => import('./agent-client.ts')

/** Connects to the fleet's agent on a host; starts one that has died. Rejects with CPN_ERR_NODE_*, CPN_ERR_AGENT_*. */
export async function connectAgent(transport: Transport, options: ConnectAgentOptions): Promise<AgentClient> {
  const { host, fleetId, connections = 2, startIfDown = true, onLife, signal } = options
  const place = await findAgent(transport, host, fleetId, signal)
  if (place.state === 'stopped') throw stopped(host.name)
  const { script: bridge, locked } = agentCommand(place, host.name, 'bridge')
  const socket = `${place.fleetDir}/${nodePaths.socket(fleetId).slice(nodePaths.fleet(fleetId).length + 1)}`
  const open = (inner?: AbortSignal) => transport.openAgent(socket, bridge, inner, locked)
  const { AgentClient } = await loadClient()
  let first: Duplex | undefined
  try {
    first = await open(signal)
    // Should it end before it is used, another one is opened.
    first.on('error', () => undefined)
  } catch (error) {
    if (!startIfDown || !(error instanceof CpnError) || error.code !== 'CPN_ERR_AGENT_UNREACHABLE') throw error
    await startAgent(transport, place, signal)
  }
  // What showed that the agent is there becomes the client's first connection.
  const connect = async (inner?: AbortSignal) => {
    const ready = first
    first = undefined
    return ready && !ready.destroyed ? ready : open(inner)
  }
  return new AgentClient({ host: host.name, connect, connections, onLife })
}

async function startAgent(transport: Transport, place: AgentPlace, signal?: AbortSignal) {
  const { host } = transport
  const { exitCode, stderr, stdout } = await runAgentProgram(transport, place, 'start --if-not-stopped', { signal })
  if (exitCode === 0 && /"stopped":\s*true/.test(stdout)) throw stopped(host)
  if (exitCode !== 0) throw agentError(stderr, host)
}

/** The error that cpn-agent printed last; a crash that printed something else is told by its last line. */
export function agentError(stderr: string, host: string): CpnError {
  const last = stderr.trim().split('\n').at(-1) ?? ''
  const error = decodeError(0, last, host)
  if (error.code !== 'CPN_ERR_AGENT_PROTOCOL') return error
  return new CpnError('CPN_ERR_AGENT_START', `its cpn-agent failed: ${last || 'it said nothing'}`, {
    host,
    suggestions: [`Look at its log: cpn logs ${host}`, `Provision it again: cpn provision ${host}`],
  })
}

function findAgentScript(remoteDir: string, fleetId: string): string {
  return [
    `dir=${quotePath(remoteDir)}/${nodePaths.fleet(fleetId)}`,
    'state=provisioned',
    'if [ -e "$dir/stopped" ]; then state=stopped; fi',
    'if [ ! -x "$dir/current/bin/cpn-agent" ]; then state=unprovisioned; fi',
    'printf "cpn-place %s %s\\n" "$state" "$dir"',
  ].join('\n')
}

function stopped(host: string): CpnError {
  return new CpnError('CPN_ERR_NODE_STOPPED', 'the agent was stopped on purpose', {
    host,
    suggestions: [`Start it again: cpn start ${host}`],
  })
}
