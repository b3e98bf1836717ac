import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { Host, Requirement } from './inventory.ts'
import type { HostEntry, InventoryEntries } from './schema.ts'

/** Defaults of the defaults. */
export const builtInDefaults = { remoteDir: '~/.cpn', workers: 'auto', nice: 10 } as const

/** The inventory's hosts with the defaults applied. Paths are relative to `folder`. */
export function resolveHosts(entries: InventoryEntries, folder: string): Host[] {
  return Object.entries(entries.hosts ?? {}).map(([name, entry]) =>
    resolveHost(name, entry ?? {}, entries.defaults ?? {}, folder),
  )
}

/** One host with the defaults applied; what only SSH needs is left out of a local one. */
export function resolveHost(
  name: string,
  entry: HostEntry,
  defaults: NonNullable<InventoryEntries['defaults']>,
  folder: string,
): Host {
  const merged = { ...builtInDefaults, ...defined(defaults), ...defined(entry) }
  const { transport = 'ssh', address = name, tags = [], provision = true, remoteDir, workers, nice } = merged
  const host: Host = { name, transport, address, tags: [...new Set(tags)], provision, remoteDir, workers, nice }
  return transport === 'local' ? host : { ...host, ...connection(merged, folder) }
}

/** The requirements with empty lists where nothing is said. */
export function resolveRequirements(entries: InventoryEntries): Requirement[] {
  const empty: Requirement = { tags: [], apt: [], pip: [], files: [], commands: [] }
  return (entries.requirements ?? []).map((entry) => ({ ...empty, ...defined(entry) }))
}

function connection({ port, user, identityFile, jump }: HostEntry, folder: string): Partial<Host> {
  return defined({ port, user, identityFile: identityFile && resolve(folder, expandHome(identityFile)), jump })
}

const expandHome = (path: string): string => (path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : path)

// A key that is there without a value must not hide a default.
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T
}
