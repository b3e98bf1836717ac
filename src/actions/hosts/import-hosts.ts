import { access } from 'node:fs/promises'
import type { Context } from '../../common/context.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import { readAnsibleInventory } from '../../inventory/ansible/read.ts'
import { jumpHosts } from '../../inventory/consistency.ts'
import { addHostsToInventory } from '../../inventory/edit.ts'
import type { ForeignHost } from '../../inventory/foreign-host.ts'
import type { Host } from '../../inventory/inventory.ts'
import { inventoryPath, loadInventory } from '../../inventory/load.ts'
import type { HostEntry } from '../../inventory/schema.ts'
import { openState, type State } from '../../inventory/state.ts'
import { forgetHostKey, knownHostKeys, recordHostKey } from '../../transport/host-keys.ts'
import { sshConfigHosts } from '../../transport/ssh-config-hosts.ts'
import { acceptHostKey } from './accept-host-key.ts'
import { type ImportPlan, planImport } from './plan-import.ts'
import { tellLeftBehind } from './tell-left-behind.ts'

export interface ImportHostsOptions {
  inventory?: string
  /** Where from: an Ansible inventory, or an ssh_config, ~/.ssh/config without a file. */
  from: { kind: 'ansible'; file: string } | { kind: 'ssh-config'; file?: string }
  /** Fetches the keys of all these hosts that have none recorded, and takes what they show. */
  trustOnFirstUse?: boolean
}

export interface ImportedHosts {
  /** Absolute path of the inventory. */
  inventory: string
  added: Record<string, HostEntry>
  left: ImportPlan['left']
  /** Keys that were taken. */
  keys: { name: string; type: string; fingerprint: string }[]
  /** Hosts whose key could not be taken. */
  keyless: { name: string; code: string; message: string }[]
}

/** Adds the hosts of another program's configuration in one write, after asking. No key is trusted without the option. */
export async function importHosts(options: ImportHostsOptions, context: Context): Promise<ImportedHosts> {
  const file = inventoryPath(options.inventory)
  const foreign = await readForeign(options.from, context.signal)
  const plan = planImport(foreign, await existingHosts(file))
  for (const { alias, reason } of plan.left) context.notice(`Left ${alias} alone: ${reason}`)
  if (Object.keys(plan.added).length > 0) await add(file, plan.added, context)
  const nothing = { keys: [], keyless: [] }
  const { keys, keyless } = options.trustOnFirstUse ? await trustAll(options, plan.names, context) : nothing
  return { inventory: file, added: plan.added, left: plan.left, keys, keyless }
}

async function readForeign(from: ImportHostsOptions['from'], signal: AbortSignal): Promise<ForeignHost[]> {
  if (from.kind === 'ansible') return readAnsibleInventory(from.file)
  const hosts = await sshConfigHosts(from.file, signal)
  return hosts.map(({ alias, jump, hasProxyCommand, fault, ...settings }) => ({
    alias,
    settings: { ...settings, jump: jump.join(',') || undefined },
    ...(fault !== undefined && { fault }),
    ...(hasProxyCommand && { fault: 'it is reached by a ProxyCommand, which is not supported' }),
  }))
}

async function existingHosts(file: string): Promise<Host[]> {
  const missing = await access(file).then(
    () => false,
    () => true,
  )
  return missing ? [] : (await loadInventory(file)).hosts
}

async function add(file: string, added: ImportPlan['added'], context: Context): Promise<void> {
  const { notice, prompter } = context
  for (const [name, entry] of Object.entries(added)) notice(`  ${name}  ${describe(entry)}`)
  const count = Object.keys(added).length
  if (!(await prompter.confirm(`Add ${count === 1 ? 'this host' : `these ${count} hosts`} to ${file}?`))) {
    throw new CpnError('CPN_ERR_DECLINED', 'nothing was added')
  }
  await tellLeftBehind(file, context)
  await addHostsToInventory(file, added)
  const state = await openState((await loadInventory(file)).stateDir)
  for (const [name, { address }] of Object.entries(added)) {
    // What an earlier host of this name left behind must not be accepted from the new one, nor believed of it.
    await forgetHostKey(state.knownHostsFile, name)
    await state.forgetHost(name)
    await state.recordHostEvent(name, { event: 'added', address: address ?? name })
  }
}

const describe = (entry: HostEntry): string =>
  Object.entries(entry)
    .map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(',') : value}`)
    .join(', ')

type Trusted = Pick<ImportedHosts, 'keys' | 'keyless'>

/** The keys of the hosts that have none recorded; a host waits for those that lead to it, and for no other. */
async function trustAll(options: ImportHostsOptions, names: string[], context: Context): Promise<Trusted> {
  const inventory = await loadInventory(inventoryPath(options.inventory))
  const state = await openState(inventory.stateDir)
  const trusted: Trusted = { keys: [], keyless: [] }
  const asked = new Map<Host, Promise<void>>()
  const wanted = inventory.hosts.filter(({ name, transport }) => names.includes(name) && transport === 'ssh')
  const trust = (host: Host): Promise<void> => {
    const running = asked.get(host) ?? trustAfterJumps(host)
    asked.set(host, running)
    return running
  }
  const trustAfterJumps = async (host: Host): Promise<void> => {
    await Promise.all(jumpHosts(host, wanted).map(trust))
    await trustOne(host, inventory.hosts, state, trusted, context)
  }
  await Promise.all(wanted.map(trust))
  return trusted
}

async function trustOne(host: Host, hosts: Host[], state: State, trusted: Trusted, context: Context): Promise<void> {
  const { knownHostsFile } = state
  const { name } = host
  try {
    if ((await knownHostKeys(knownHostsFile, name)).length > 0) return
    const { key } = await acceptHostKey(host, { trustOnFirstUse: true }, { hosts, knownHostsFile }, context)
    await recordHostKey(knownHostsFile, name, key.key)
    await state.recordHostEvent(name, { event: 'host-key-accepted', hostKey: key.fingerprint })
    trusted.keys.push({ name, type: key.type, fingerprint: key.fingerprint })
  } catch (thrown) {
    context.signal.throwIfAborted()
    const { code, message } = toCpnError(thrown)
    trusted.keyless.push({ name, code, message })
  }
}
