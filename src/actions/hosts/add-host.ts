import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import { addHostToInventory, checkedHostEntry, inventoryWithHost } from '../../inventory/edit.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { inventoryPath, loadInventory } from '../../inventory/load.ts'
import type { HostEntry } from '../../inventory/schema.ts'
import { findHost } from '../../inventory/select.ts'
import { openState, type State, statePaths } from '../../inventory/state.ts'
import { forgetHostKey, recordHostKey } from '../../transport/host-keys.ts'
import { type AcceptedKey, acceptHostKey, assertDecidable, type HostKeyTrust } from './accept-host-key.ts'
import { type CopiedKey, copyKey } from './copy-key.ts'
import { tellLeftBehind } from './tell-left-behind.ts'

export interface AddHostOptions extends HostKeyTrust {
  inventory?: string
  name: string
  /** What the inventory will say of the host. */
  settings: Partial<Omit<Host, 'name'>>
  /** Puts our key into authorized_keys there when the host is added. */
  copyKey?: boolean
}

export interface AddedHost {
  host: Host
  /** False when the inventory had it already and only its key was accepted. */
  added: boolean
  /** Absolute path of the inventory. */
  inventory: string
  /** null for a local host. */
  hostKey: { type: string; fingerprint: string; known: boolean } | null
  /** null unless our key was to be copied. */
  copiedKey: CopiedKey | null
}

/**
 * Adds a host: its key is fetched and accepted first, then recorded, then the inventory is written. A host that the
 * inventory has already, given without settings or with the same, gets its key accepted and nothing else. Our own key is copied last: a
 * host that does not take it stays added.
 */
export async function addHost(options: AddHostOptions, context: Context): Promise<AddedHost> {
  assertNothingOfSsh(options)
  const file = inventoryPath(options.inventory)
  const entry = checkedHostEntry(options.name, await withUsableIdentity(options))
  const existing = await existingInventory(file, options.name, entry)
  const inventory = existing ?? (await inventoryWithHost(file, options.name, entry)).inventory
  const host = findHost(inventory, options.name)
  const accepted = host.transport === 'local' ? undefined : await acceptKey(host, inventory, options, context)
  await tellLeftBehind(file, context)
  const state = await openState(inventory.stateDir)
  if (accepted) await replaceKey(state, host.name, accepted)
  if (!existing) {
    // A host of this name that was taken out of the file by hand has left it behind.
    await state.forgetHost(host.name)
    await addHostToInventory(file, host.name, entry)
  }
  const event = existing ? 'host-key-accepted' : 'added'
  await state.recordHostEvent(host.name, { event, address: host.address, hostKey: accepted?.key.fingerprint })
  const where = { hosts: inventory.hosts, knownHostsFile: state.knownHostsFile }
  const copiedKey = options.copyKey ? await copyKey(host, where, context) : null
  return { host, added: !existing, inventory: file, hostKey: accepted ? shown(accepted) : null, copiedKey }
}

// This machine is not reached by SSH: what says how would be kept and never used.
function assertNothingOfSsh({ name, settings, hostKey, trustOnFirstUse, copyKey }: AddHostOptions): void {
  if (settings.transport !== 'local') return
  const { address, port, user, identityFile, jump } = settings
  const ofSsh = { address, port, user, 'identity-file': identityFile, jump, 'host-key': hostKey }
  const switches = { 'trust-on-first-use': trustOnFirstUse || undefined, 'copy-key': copyKey || undefined }
  const given = Object.entries({ ...ofSsh, ...switches })
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => `--${flag}`)
  if (given.length === 0) return
  throw new CpnError('CPN_ERR_USAGE', `--transport local is this machine and takes no ${given.join(', ')}`, {
    host: name,
    suggestions: [
      'Leave out --transport local for a host that is reached by SSH.',
      `Or leave out ${given.join(', ')}.`,
    ],
  })
}

/** The inventory, if it is there and has this host, with these settings where there are any. */
async function existingInventory(file: string, name: string, entry: HostEntry): Promise<Inventory | undefined> {
  const there = await access(file).then(
    () => true,
    () => false,
  )
  const inventory = there ? await loadInventory(file) : undefined
  const host = inventory?.hosts.find((each) => each.name === name)
  const isSame = Object.entries(entry).every(([key, value]) => isDeepStrictEqual(host?.[key as keyof Host], value))
  return host && isSame ? inventory : undefined
}

async function acceptKey(
  host: Host,
  { hosts, stateDir }: Inventory,
  trust: HostKeyTrust,
  context: Context,
): Promise<AcceptedKey> {
  assertDecidable(trust, context)
  return acceptHostKey(host, trust, { hosts, knownHostsFile: statePaths(stateDir).knownHostsFile }, context)
}

// What an earlier host of this name left behind must not be accepted from the new one.
async function replaceKey({ knownHostsFile }: State, name: string, { key }: AcceptedKey): Promise<void> {
  await forgetHostKey(knownHostsFile, name)
  await recordHostKey(knownHostsFile, name, key.key)
}

const shown = ({ key: { type, fingerprint }, known }: AcceptedKey) => ({ type, fingerprint, known })

// A relative path means something else in the inventory, which may lie in another folder.
async function withUsableIdentity({ name, settings }: AddHostOptions): Promise<object> {
  const { identityFile } = settings
  if (identityFile === undefined || identityFile.startsWith('~')) return settings
  const path = resolve(identityFile)
  await access(path).catch((cause: unknown) => {
    throw new CpnError('CPN_ERR_IDENTITY', `the identity file ${path} cannot be read`, {
      host: name,
      cause,
      suggestions: ['Name the private key file with --identity-file, or leave it to ~/.ssh/config and ssh-agent.'],
    })
  })
  return { ...settings, identityFile: path }
}
