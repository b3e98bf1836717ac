import { CpnError } from '../../common/errors.ts'
import { leadsTo } from '../../inventory/consistency.ts'
import { checkedHostEntry } from '../../inventory/edit.ts'
import { type ForeignHost, validHostName } from '../../inventory/foreign-host.ts'
import type { Host } from '../../inventory/inventory.ts'
import type { HostEntry } from '../../inventory/schema.ts'

export interface ImportPlan {
  /** What the inventory would say, by host name. */
  added: Record<string, HostEntry>
  /** Hosts that are left as they are, or out, and why. */
  left: { alias: string; reason: string }[]
  /** Names of all hosts of the file that the inventory has then. */
  names: string[]
}

/** What importing these hosts would do to an inventory that has `existing` already. */
export function planImport(foreign: ForeignHost[], existing: Host[]): ImportPlan {
  const plan: ImportPlan = { added: {}, left: [], names: [] }
  const names = namesFor(foreign)
  const places = new Map(existing.map((host) => [placeOf(host), host.name]))
  for (const host of foreign) {
    const name = names.get(host.alias)
    const reason = faultOf(host, name, plan, existing) ?? takeOver(host, name!, { plan, names, places, existing })
    if (reason !== undefined) plan.left.push({ alias: host.alias, reason })
  }
  leaveCircles(foreign, plan, names, existing)
  return plan
}

/** A host that would be reached through itself would make the whole inventory a wrong one. */
function leaveCircles(foreign: ForeignHost[], plan: ImportPlan, names: Map<string, string>, existing: Host[]): void {
  const added = Object.entries(plan.added).map(([name, { jump }]) => ({ name, jump }))
  const circling = added.filter((host) => leadsTo(host, host, [...added, ...existing])).map(({ name }) => name)
  plan.names = plan.names.filter((name) => !circling.includes(name))
  for (const { alias } of foreign) {
    const name = names.get(alias)
    if (name === undefined || !circling.includes(name)) continue
    delete plan.added[name]
    plan.left.push({ alias, reason: 'it would be reached through itself' })
  }
}

/** The first alias of several that would be called the same gets the name. */
function namesFor(foreign: ForeignHost[]): Map<string, string> {
  const taken = new Set<string>()
  const names = new Map<string, string>()
  for (const { alias, fault } of foreign) {
    const name = fault === undefined ? validHostName(alias) : undefined
    if (name === undefined || taken.has(name)) continue
    taken.add(name)
    names.set(alias, name)
  }
  return names
}

function faultOf(host: ForeignHost, name: string | undefined, plan: ImportPlan, existing: Host[]): string | undefined {
  if (host.fault !== undefined) return host.fault
  const wanted = validHostName(host.alias)
  if (wanted === undefined) return 'no valid host name can be made of it'
  if (name === undefined) return `it would be called ${wanted}, as another one of the file is`
  if (!existing.some((other) => other.name === name)) return undefined
  plan.names.push(name)
  return `the inventory has a host ${name} already`
}

interface TakingOver {
  plan: ImportPlan
  names: Map<string, string>
  places: Map<string, string>
  existing: Host[]
}

function takeOver(
  { alias, settings }: ForeignHost,
  name: string,
  { plan, names, places, existing }: TakingOver,
): string | undefined {
  try {
    const jump = settings.jump && renamed(settings.jump, names, existing)
    const address = settings.address === name ? undefined : settings.address
    const entry = checkedHostEntry(name, { ...settings, address, jump: jump || undefined })
    const place = placeOf({ name, ...entry })
    const same = places.get(place)
    if (same !== undefined) return `it is the same place as ${same}`
    places.set(place, name)
    plan.added[name] = entry
    plan.names.push(name)
    return undefined
  } catch (error) {
    if (error instanceof CpnError) return error.message
    throw new Error(`cannot import ${alias}`, { cause: error })
  }
}

/** A jump names hosts of the file as they are called here. */
function renamed(jump: string, names: Map<string, string>, existing: Host[]): string {
  const hops = jump.split(',').map((hop) => hop.trim())
  return hops.map((hop) => (existing.some(({ name }) => name === hop) ? hop : (names.get(hop) ?? hop))).join(',')
}

function placeOf(host: HostEntry & { name: string }): string {
  if (host.transport === 'local') return 'local'
  return JSON.stringify([host.address ?? host.name, host.port ?? 22, host.user ?? '', host.jump ?? ''])
}
