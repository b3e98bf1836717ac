import type { Context } from '../../common/context.ts'
import type { FleetNode, NodeState } from '../../fleet/node.ts'
import { firstSeen } from '../../inventory/host-history.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { openState, type State } from '../../inventory/state.ts'
import type { NodeCard } from '../../protocol/messages.ts'
import { openFleet } from '../open-fleet.ts'

export interface NodeStatus {
  name: string
  state: NodeState
  agentVersion: string | null
  slots: number
  busy: number
  imagesPerSecond: number
  /** `name@version` */
  models: string[]
  /** ISO 8601, UTC; null for a host that never answered. */
  lastSeen: string | null
  firstSeen: string | null
  /** SHA256:…; null for a local node and while unreachable. */
  hostKey: string | null
  isolation: NodeCard['isolation'] | null
  /** Why the node is not usable. */
  error: { code: string; message: string; suggestions: string[] } | null
}

export interface StatusOptions {
  inventory: Inventory
  /** Patterns; empty means all. */
  hosts: string[]
}

/** Asks every selected host's agent how it is. Starts and changes nothing; one entry per host, in inventory order. */
export async function status({ inventory, hosts }: StatusOptions, ctx: Context): Promise<NodeStatus[]> {
  const state = await openState(inventory.stateDir)
  await using fleet = await openFleet({ inventory, hosts, state, mayChange: false }, ctx)
  await fleet.settled(ctx.signal)
  // Awaited here: the fleet is closed when this function returns.
  return await Promise.all(fleet.nodes.map((node) => describe(node, state)))
}

async function describe(node: FleetNode, state: State): Promise<NodeStatus> {
  const { name, card, heartbeat, error } = node
  return {
    name,
    state: node.state,
    agentVersion: card?.agentVersion ?? null,
    slots: card?.slots ?? 0,
    busy: heartbeat?.busy ?? 0,
    imagesPerSecond: heartbeat?.imagesPerSecond ?? 0,
    models: card?.models.map((model) => `${model.name}@${model.version}`) ?? [],
    lastSeen: (await state.lastSeen(name)) ?? null,
    firstSeen: firstSeen(await state.hostHistory(name)) ?? null,
    hostKey: node.hostKey ?? null,
    isolation: card?.isolation ?? null,
    error: error ? { code: error.code, message: error.message, suggestions: error.suggestions } : null,
  }
}
