import { CpnError } from '../../common/errors.ts'
import type { Host } from '../../inventory/inventory.ts'
import type { Place } from './errors.ts'
import type { SshConfig } from './ssh-config.ts'
import { SshConfigs } from './ssh-configs.ts'

/** Everything that is needed to log in to one SSH server, inventory and ~/.ssh/config put together. */
export interface Target extends SshConfig {
  /** Inventory name, or what the jump was called. */
  name: string
  /** Set for a host of the inventory: the name that .cpn/known_hosts uses. */
  inventoryName: string | undefined
  /** As the inventory or the jump has it; what a suggested command uses. */
  address: string
  /** The inventory's own identityFile: it has to exist, and it is tried first. */
  ownIdentityFile: string | undefined
  /** Hops on the way, outermost first. */
  jumps: Target[]
}

interface Resolving {
  hosts: Map<string, Host>
  /** Names on the way already, against circles. */
  visited: string[]
  configs: SshConfigs
  signal: AbortSignal | undefined
}

/** Where and how to log in to a host of the inventory, with its whole way. */
export function resolveTarget(
  host: Host,
  hosts: Map<string, Host>,
  signal?: AbortSignal,
  configs = new SshConfigs(),
): Promise<Target> {
  return resolveHost(host, { hosts, visited: [], configs, signal })
}

export function placeOf(target: Target, host = target.name): Place {
  const { hostname, port } = target
  return { host, where: `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}` }
}

async function resolveHost(host: Host, state: Resolving): Promise<Target> {
  const visited = enter(host.name, state.visited)
  const config = await configOf(host, host.name, state)
  const jumps = host.jump === undefined ? config.proxyJump : splitJumps(host.jump)
  if (config.hasProxyCommand && jumps.length === 0) throw proxyCommandError(host.name)
  return {
    ...config,
    name: host.name,
    inventoryName: host.name,
    address: host.address,
    ownIdentityFile: host.identityFile,
    jumps: await resolveJumps(jumps, host.jump !== undefined, { ...state, visited }),
  }
}

/** As OpenSSH does it: the first hop may have a way of its own, each later one is reached through those before it. */
async function resolveJumps(specs: string[], fromInventory: boolean, state: Resolving): Promise<Target[]> {
  const hops = await Promise.all(specs.map((spec) => resolveJump(spec, fromInventory, state)))
  return hops.flatMap((hop, index) => [...(index === 0 ? hop.jumps : []), hop])
}

async function resolveJump(spec: string, fromInventory: boolean, state: Resolving): Promise<Target> {
  const host = fromInventory ? state.hosts.get(spec) : undefined
  if (host?.transport === 'ssh') return resolveHost(host, state)
  const visited = enter(spec, state.visited)
  const destination = parseJump(spec)
  const config = await configOf(destination, spec, state)
  if (config.hasProxyCommand && config.proxyJump.length === 0) throw proxyCommandError(spec)
  const jumps = await resolveJumps(config.proxyJump, false, { ...state, visited })
  return {
    ...config,
    name: spec,
    inventoryName: undefined,
    address: destination.address,
    ownIdentityFile: undefined,
    jumps,
  }
}

/** `[user@]host[:port]`, also as ssh://; IPv6 addresses stand in brackets when a port follows. */
export function parseJump(spec: string): { address: string; user?: string; port?: number } {
  const { user, rest = '' } = /^(?:ssh:\/\/)?(?:(?<user>.+)@)?(?<rest>[^/@]+)\/?$/.exec(spec)?.groups ?? {}
  // More than one colon without brackets is an IPv6 address without a port.
  const parts =
    /^\[(?<address>[^\]]+)\](?::(?<port>\d+))?$/.exec(rest) ?? /^(?<address>[^:]+)(?::(?<port>\d+))?$/.exec(rest)
  const { address = /^[\da-f:.]+(%.+)?$/i.test(rest) ? rest : undefined, port } = parts?.groups ?? {}
  if (address === undefined) throw noJump(spec)
  return { address, ...(user && { user }), ...(port && { port: Number(port) }) }
}

function noJump(spec: string): CpnError {
  return new CpnError('CPN_ERR_JUMP', `${JSON.stringify(spec)} names no jump host`, {
    suggestions: ['Write a jump as inventory name, alias of ~/.ssh/config, or user@host:port.'],
  })
}

function splitJumps(jump: string): string[] {
  const hops = jump.split(',').map((hop) => hop.trim())
  return hops.length === 1 && hops[0] === 'none' ? [] : hops.filter((hop) => hop !== '')
}

async function configOf(
  destination: { address: string; user?: string; port?: number },
  name: string,
  { configs, signal }: Resolving,
): Promise<SshConfig> {
  try {
    const config = await configs.read(destination, signal)
    return { ...config, user: destination.user ?? config.user, port: destination.port ?? config.port }
  } catch (error) {
    if (!(error instanceof CpnError)) throw error
    const { message, suggestions } = error
    throw new CpnError(error.code, message, { suggestions, host: name, cause: error })
  }
}

function enter(name: string, visited: string[]): string[] {
  if (!visited.includes(name)) return [...visited, name]
  throw new CpnError('CPN_ERR_JUMP', `the jumps go in a circle: ${[...visited, name].join(' → ')}`, {
    host: visited[0],
    suggestions: ['Correct `jump` in the inventory or ProxyJump in ~/.ssh/config.'],
  })
}

function proxyCommandError(name: string): CpnError {
  return new CpnError('CPN_ERR_JUMP', `~/.ssh/config reaches ${name} by a ProxyCommand, which is not supported`, {
    host: name,
    suggestions: ['Use ProxyJump there, or `jump` in the inventory.'],
  })
}
