import { dirname } from 'node:path'
import { systemClock } from '../common/clock.ts'
import type { Context } from '../common/context.ts'
import { unlessAborted } from '../common/deadline.ts'
import { CpnError } from '../common/errors.ts'
import { agentProgramOf, findAgent, modelsRefused } from '../fleet/connect-agent.ts'
import { Fleet } from '../fleet/fleet.ts'
import type { Host, Inventory } from '../inventory/inventory.ts'
import { selectSomeHosts } from '../inventory/select.ts'
import type { State } from '../inventory/state.ts'
import type { InstalledModel } from '../models/store.ts'
import { forgetOn } from '../people/tombstones.ts'
import { type Connector, createConnector } from '../transport/connector.ts'
import type { Transport } from '../transport/transport.ts'

export interface OpenFleetOptions {
  inventory: Inventory
  /** Patterns; empty means all. */
  hosts: string[]
  state: State
  /** Models that every node needs before it gets work. */
  models?: InstalledModel[]
  /** Nodes that must not do this work, by name, and why. */
  without?: Readonly<Record<string, CpnError>>
  /** The encoded gallery that jobs are matched with. */
  gallery?: Buffer | undefined
  /** False: only looks, starts and provisions nothing. Default true. */
  mayChange?: boolean
}

/** Connects to the selected hosts' agents. The caller disposes of the fleet. Rejects with CPN_ERR_HOST_UNKNOWN. */
export async function openFleet(options: OpenFleetOptions, ctx: Context): Promise<Fleet> {
  const { inventory, state, mayChange = true, models = [], without = {} } = options
  const hosts = selectSomeHosts(inventory, options.hosts)
  const first = new Set(hosts.map(({ name }) => name))
  const isFirst = (host: Host) => first.has(host.name)
  const repair = mayChange ? repairer(inventory, isFirst, ctx) : undefined
  return new Fleet(
    { hosts, connector: connectorOf(inventory, state, ctx) },
    {
      fleetId: state.fleetId,
      clock: systemClock,
      random: Math.random,
      logger: ctx.logger,
      // A host that joined later is in somebody else's hands until it works.
      startIfDown: (host) => mayChange && isFirst(host),
      repair,
      gallery: options.gallery,
      prepare: async (host, transport, card, client, signal) => {
        await state.markSeen(host.name)
        if (without[host.name]) throw without[host.name]
        await forgetOn(host.name, client, state.peopleDir, signal)
        const has = new Set(card.models.map(({ sha256 }) => sha256))
        const missing = models.filter(({ manifest }) => !has.has(manifest.sha256))
        if (missing.length > 0) await send(missing, host, transport, state.fleetId, signal)
      },
    },
  )
}

/** How the hosts of an inventory are reached. */
export function connectorOf({ hosts }: Inventory, { knownHostsFile }: State, { prompter, logger }: Context): Connector {
  return createConnector({ hosts, knownHostsFile, prompter, logger })
}

async function send(
  models: InstalledModel[],
  host: Host,
  transport: Transport,
  fleetId: string,
  signal: AbortSignal,
): Promise<void> {
  const place = await findAgent(transport, host, fleetId, signal)
  if (place.locked) throw modelsRefused(host.name, models)
  const agentProgram = agentProgramOf(place, host.name)
  const { sendModels } = await import('../provision/send-models.ts')
  await sendModels(transport, { agentProgram, dir: dirname(dirname(place.fleetDir)), models, signal })
}

/** Provisions a host that has no agent, or one of another protocol, after asking once; this machine without asking. */
function repairer(inventory: Inventory, isFirst: (host: Host) => boolean, ctx: Context) {
  const tried = new Set<string>()
  return async (host: Host, error: CpnError, signal: AbortSignal): Promise<boolean> => {
    const repairable = error.code === 'CPN_ERR_NODE_UNPROVISIONED' || error.code === 'CPN_ERR_AGENT_PROTOCOL'
    if (!repairable || !isFirst(host) || tried.has(host.name)) return false
    tried.add(host.name)
    if (host.transport !== 'local' && !(await agreed(host.name, error, ctx, signal))) return false
    ctx.notice(`${host.name}: provisioning, because ${error.message}`)
    const options = { inventory, hosts: [host.name], sudo: false, dryRun: false }
    // Most runs need none of it, and it takes its time to load.
    const { openProvisioner } = await import('./nodes/provision.ts')
    await using provisioner = await openProvisioner(options, { ...ctx, signal: AbortSignal.any([ctx.signal, signal]) })
    for (const each of provisioner.hosts) await provisioner.provision(each, () => {})
    return true
  }
}

/** Without a terminal and without --yes nothing is asked, and the host is left as it is. */
async function agreed(name: string, error: CpnError, { prompter }: Context, signal: AbortSignal): Promise<boolean> {
  try {
    // A question that nobody answers must not keep a run that is done from ending.
    return await unlessAborted(prompter.confirm(`${name}: ${error.message}. Provision it now?`), signal)
  } catch (refusal) {
    if (refusal instanceof CpnError && refusal.code === 'CPN_ERR_NEEDS_TERMINAL') return false
    throw refusal
  }
}
