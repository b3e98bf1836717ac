import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import { jumpHosts } from '../../inventory/consistency.ts'
import { removeHostsFromInventory } from '../../inventory/edit.ts'
import { firstSeen, provisionedRelease } from '../../inventory/host-history.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { inventoryPath, loadInventory } from '../../inventory/load.ts'
import { findHost, selectHosts } from '../../inventory/select.ts'
import { type HostEvent, openState, type State } from '../../inventory/state.ts'
import { forgetHostKey, knownHostKeys } from '../../transport/host-keys.ts'

/** The hosts as the program sees them, defaults applied. */
export async function listHosts(options: { inventory?: string }): Promise<Inventory> {
  return loadInventory(options.inventory)
}

/** A host key as people compare it. */
export interface ShownKey {
  type: string
  fingerprint: string
}

export interface ShownHost extends Host {
  /** Time of the first event since a host of its name was removed last; null when nothing happened to it yet. */
  firstSeen: string | null
  /** Keys that cpn accepts from it. */
  hostKeys: ShownKey[]
  /** Digest of the release it was provisioned with last; null when it is no node. */
  release: string | null
  history: HostEvent[]
}

/** One host with everything the fleet remembers of it. */
export async function showHost(options: { inventory?: string; name: string }): Promise<ShownHost> {
  const inventory = await loadInventory(options.inventory)
  const host = findHost(inventory, options.name)
  const state = await openState(inventory.stateDir)
  const history = await state.hostHistory(host.name)
  const hostKeys = (await knownHostKeys(state.knownHostsFile, host.name)).map(({ type, fingerprint }) => ({
    type,
    fingerprint,
  }))
  return {
    ...host,
    firstSeen: firstSeen(history) ?? null,
    hostKeys,
    release: provisionedRelease(history) ?? null,
    history,
  }
}

export interface RemoveHostsOptions {
  inventory?: string
  patterns: string[]
  /** Removes hosts that are provisioned, or that others are reached through. */
  force?: boolean
}

/**
 * Removes hosts from the inventory with their keys and all that is believed of them; their history stays, and so does what is
 * on the hosts.
 */
export async function removeHosts(options: RemoveHostsOptions, { prompter }: Context): Promise<{ removed: string[] }> {
  const inventory = await loadInventory(options.inventory)
  const names = selectHosts(inventory, options.patterns).map((host) => host.name)
  if (names.length === 0) return { removed: [] }
  const state = await openState(inventory.stateDir)
  if (!options.force) await assertUnused(names, inventory, state)
  if (!(await prompter.confirm(`Remove ${names.join(', ')} from the inventory?`))) {
    throw new CpnError('CPN_ERR_DECLINED', 'nothing was removed')
  }
  await removeHostsFromInventory(inventoryPath(options.inventory), names)
  for (const name of names) {
    await forgetHostKey(state.knownHostsFile, name)
    await state.forgetHost(name)
    await state.recordHostEvent(name, { event: 'removed' })
  }
  return { removed: names }
}

async function assertUnused(names: string[], inventory: Inventory, state: State): Promise<void> {
  const provisioned: string[] = []
  for (const name of names) if (provisionedRelease(await state.hostHistory(name))) provisioned.push(name)
  if (provisioned.length > 0) {
    throw new CpnError('CPN_ERR_HOST_IN_USE', `still provisioned: ${provisioned.join(', ')}`, {
      suggestions: [
        `Clean up there first: cpn unprovision ${provisioned.join(',')}`,
        'Or leave behind what is there: --force',
      ],
    })
  }
  assertNoJumps(names, inventory)
}

function assertNoJumps(names: string[], inventory: Inventory): void {
  const depends = inventory.hosts.filter(
    (host) => !names.includes(host.name) && jumpHosts(host, inventory.hosts).some((jump) => names.includes(jump.name)),
  )
  if (depends.length === 0) return
  throw new CpnError(
    'CPN_ERR_HOST_IN_USE',
    `the way to ${depends.map((host) => host.name).join(', ')} leads through it`,
    {
      suggestions: ['Remove those too, or give them another jump, or use --force.'],
    },
  )
}
