import type { Host } from './inventory.ts'
import type { ParsedYaml } from './parse.ts'
import type { Fault } from './validate.ts'

interface JumpingHost {
  name: string
  jump?: string | undefined
}

/** What is wrong between hosts although each of them is written correctly. */
export function inconsistencies(hosts: Host[], yaml: ParsedYaml): Fault[] {
  return [...uselessKeys(hosts, yaml), ...wrongJumps(hosts, yaml), ...samePlaces(hosts, yaml)]
}

/** The inventory hosts that a host's jump names, outermost first; aliases and addresses are left out. */
export function jumpHosts<T extends JumpingHost>(host: T, hosts: readonly T[]): T[] {
  const names = host.jump?.split(',').map((name) => name.trim()) ?? []
  return names.flatMap((name) => hosts.find((candidate) => candidate.name === name) ?? [])
}

function uselessKeys(hosts: Host[], yaml: ParsedYaml): Fault[] {
  const written = (yaml.data as { hosts?: Record<string, object | null> }).hosts ?? {}
  return hosts
    .filter((host) => host.transport === 'local')
    .flatMap((host) =>
      Object.keys(written[host.name] ?? {})
        .filter((key) => ['port', 'user', 'identityFile', 'jump'].includes(key))
        .map((key) => ({
          span: yaml.keyAt(['hosts', host.name], key),
          message: `${key} does nothing with transport: local: remove it`,
        })),
    )
}

function wrongJumps(hosts: Host[], yaml: ParsedYaml): Fault[] {
  return hosts.flatMap((host) => {
    const span = yaml.valueAt(['hosts', host.name, 'jump'])
    const local = jumpHosts(host, hosts).find((jump) => jump.transport === 'local')
    if (local) return [{ span, message: `"${local.name}" is this machine and cannot be jumped through: remove it` }]
    if (!leadsTo(host, host, hosts)) return []
    return [{ span, message: `${host.name} jumps through itself: break the circle` }]
  })
}

/** Whether the way to one host leads through another, at whatever distance. */
export function leadsTo<T extends JumpingHost>(from: T, target: T, hosts: readonly T[], seen = new Set<T>()): boolean {
  return jumpHosts(from, hosts).some((jump) => {
    if (jump === target) return true
    if (seen.has(jump)) return false
    seen.add(jump)
    return leadsTo(jump, target, hosts, seen)
  })
}

// Two names for one place would fight over its lock, its socket and its releases.
function samePlaces(hosts: Host[], yaml: ParsedYaml): Fault[] {
  const byPlace = Map.groupBy(
    hosts.filter((host) => host.provision),
    placeOf,
  )
  return [...byPlace.values()].flatMap(([first, ...others]) =>
    others.map((host) => ({
      span: yaml.keyAt(['hosts'], host.name),
      message: `"${host.name}" is the same place as "${first!.name}": remove one, or give it another remoteDir`,
    })),
  )
}

function placeOf(host: Host): string {
  if (host.transport === 'local') return JSON.stringify(['local', host.remoteDir])
  return JSON.stringify([host.address, host.port, host.user, host.jump, host.remoteDir])
}
