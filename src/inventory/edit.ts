import { isDeepStrictEqual } from 'node:util'
import { CpnError } from '../common/errors.ts'
import type { Inventory } from './inventory.ts'
import { parseInventory } from './load.ts'
import { parseYaml } from './parse.ts'
import { replaceFile } from './replace-file.ts'
import { type HostEntry, hostNameFault, hostSchema } from './schema.ts'
import { readInventoryText, shortPath } from './source.ts'
import { withHosts, withoutHost } from './splice.ts'

const newInventory = `# The machines of this cluster. inventory.example.yaml in the cpn package explains every key.
# No secret belongs here: cpn uses keys and ssh-agent, or asks.
version: 1

# What holds for every host that does not say otherwise, for example:
# defaults: { user: cpn, identityFile: ~/.ssh/id_ed25519 }

hosts:
`

/**
 * The inventory at `file` (absolute) as it would be with a further host; nothing is written. Where there is no file it
 * is the new one's. Ends with CPN_ERR_HOST_EXISTS, or as loadInventory does.
 */
export async function inventoryWithHost(
  file: string,
  name: string,
  entry: HostEntry,
): Promise<{ text: string; inventory: Inventory }> {
  const text = (await existingText(file)) ?? newInventory
  assertAbsent(text, file, [name])
  const edited = withHosts(text, file, { [name]: entry })
  const inventory = checked(edited, text, file, (hosts) => ({ ...hosts, [name]: entry }))
  return { text: edited, inventory }
}

/**
 * Adds a host behind the last one of the inventory at `file` (absolute), which is created when there is none. Comments
 * and order stay. Ends as inventoryWithHost does or with CPN_ERR_INVENTORY_WRITE, leaving the file as it was.
 */
export async function addHostToInventory(file: string, name: string, entry: HostEntry): Promise<void> {
  await replaceFile(file, async () => (await inventoryWithHost(file, name, entry)).text)
}

/**
 * Adds hosts behind the last one of the inventory at `file` (absolute) in one write, as addHostToInventory does for one
 * host: all of them or none.
 */
export async function addHostsToInventory(file: string, entries: Record<string, HostEntry>): Promise<void> {
  await replaceFile(file, async () => {
    const text = (await existingText(file)) ?? newInventory
    assertAbsent(text, file, Object.keys(entries))
    const edited = withHosts(text, file, entries)
    checked(edited, text, file, (hosts) => ({ ...hosts, ...entries }))
    return edited
  })
}

/** Removes hosts from the inventory at `file` (absolute). Comments and order of the rest stay. */
export async function removeHostsFromInventory(file: string, names: string[]): Promise<void> {
  await replaceFile(file, async () => {
    const text = await readInventoryText(file)
    const edited = names.reduce((rest, name) => withoutHost(rest, file, name), text)
    checked(edited, text, file, (hosts) =>
      Object.fromEntries(Object.entries(hosts).filter(([name]) => !names.includes(name))),
    )
    return edited
  })
}

/** The settings of a host, checked; undefined ones are left out. Ends with CPN_ERR_USAGE when one is wrong. */
export function checkedHostEntry(name: string, settings: object): HostEntry {
  const fault = hostNameFault(name)
  if (fault) throw new CpnError('CPN_ERR_USAGE', fault)
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  const result = hostSchema.safeParse(given)
  if (result.success) return result.data
  throw new CpnError('CPN_ERR_USAGE', result.error.issues.map((issue) => issue.message).join('; '), { host: name })
}

async function existingText(file: string): Promise<string | undefined> {
  return readInventoryText(file).catch((error: unknown) => {
    if (error instanceof CpnError && error.code === 'CPN_ERR_INVENTORY_MISSING') return undefined
    throw error
  })
}

function assertAbsent(text: string, file: string, names: string[]): void {
  const name = parseInventory(text, file).hosts.find((host) => names.includes(host.name))?.name
  if (name === undefined) return
  throw new CpnError('CPN_ERR_HOST_EXISTS', `${shortPath(file)} has a host "${name}" already`, {
    suggestions: [`Choose another name, edit it in ${shortPath(file)}, or remove it first: cpn hosts remove ${name}`],
  })
}

type Hosts = Record<string, unknown>

// An edit of text is trusted only when what it means is exactly what was wanted.
function checked(edited: string, text: string, file: string, wanted: (hosts: Hosts) => Hosts): Inventory {
  const inventory = parseEdited(edited, file)
  const before = dataOf(text, file)
  const expected = { ...before, hosts: wanted(before.hosts ?? {}) }
  const after = dataOf(edited, file)
  if (isDeepStrictEqual({ ...after, hosts: after.hosts ?? {} }, expected)) return inventory
  throw unfit(file, 'it is written in a way that cpn does not edit')
}

function parseEdited(edited: string, file: string): Inventory {
  try {
    return parseInventory(edited, file)
  } catch (error) {
    throw unfit(file, (error as Error).message, error)
  }
}

function unfit(file: string, reason: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_INVENTORY_WRITE', `${shortPath(file)} was left as it is: ${reason}`, {
    cause,
    suggestions: ['Give other settings, or change the hosts in the file by hand.'],
  })
}

function dataOf(text: string, file: string): { hosts?: Hosts | null } {
  return parseYaml(text, file).data as { hosts?: Hosts | null }
}
