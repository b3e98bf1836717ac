import type { Context } from '../../common/context.ts'
import { type CpnError, toCpnError } from '../../common/errors.ts'
import { connectAgent } from '../../fleet/connect-agent.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { byVersion, labelOf, type PinnedModel, pipelineNames } from '../../models/pipeline-version.ts'
import { catalogue, type ModelStore } from '../../models/store.ts'
import type { Reach } from '../../rollout/node-rollout.ts'
import { connectorOf } from '../open-fleet.ts'
import { openStores, type Stores } from './resolve-pipeline.ts'

export interface OutdatedReport {
  /** Pipelines of which a newer version than the one in use is known, as name@version. */
  pipelines: { inUse: string; newest: string }[]
  /** Models that are here, and of which the catalogue has a newer version. */
  models: { installed: string; newest: string }[]
  nodes: OutdatedNode[]
}

export interface OutdatedNode {
  name: string
  /** Models of versions in use that the node lacks. */
  missing: string[]
  /** Older versions of models in use that lie there. */
  older: string[]
  /** Why it could not be asked. */
  error: CpnError | null
}

/** What a push would change; nothing is changed, and no agent is started. */
export async function outdatedModels(
  { inventory, hosts: patterns }: { inventory: Inventory; hosts: string[] },
  ctx: Context,
): Promise<OutdatedReport> {
  const hosts = selectSomeHosts(inventory, patterns)
  const state = await openState(inventory.stateDir)
  const stores = openStores(state, ctx)
  const active = await Promise.all(pipelineNames.map((name) => stores.pipelines.active(name)))
  const pinned = new Map(
    active.flatMap(({ detector, embedder }) => [detector, embedder]).map((each) => [each.sha256, each]),
  )
  await using connector = connectorOf(inventory, state, ctx)
  const reach = { connector, fleetId: state.fleetId }
  // A fleet need not have what was never wanted.
  const installed = new Set((await stores.models.list()).map(({ manifest }) => manifest.sha256))
  const inUse = [...pinned.values()].filter(({ sha256 }) => installed.has(sha256))
  return {
    pipelines: await newerPipelines(stores),
    models: await newerModels(stores.models),
    nodes: await Promise.all(hosts.map((host) => lookAt(host, inUse, reach, ctx.signal))),
  }
}

async function newerPipelines({ pipelines }: Stores): Promise<OutdatedReport['pipelines']> {
  const found = await Promise.all(
    pipelineNames.map(async (name) => ({ inUse: await pipelines.active(name), newest: await pipelines.find(name) })),
  )
  return found
    .filter(({ inUse, newest }) => byVersion(newest, inUse) > 0)
    .map(({ inUse, newest }) => ({ inUse: labelOf(inUse), newest: labelOf(newest) }))
}

async function newerModels(store: ModelStore): Promise<OutdatedReport['models']> {
  const newest = Map.groupBy(
    (await store.list()).map(({ manifest }) => manifest),
    ({ name }) => name,
  )
  return [...newest.values()].flatMap((versions) => {
    const here = versions.sort(byVersion).at(-1)!
    const known = catalogue()
      .filter(({ name }) => name === here.name)
      .sort(byVersion)
      .at(-1)
    return known && byVersion(known, here) > 0 ? [{ installed: labelOf(here), newest: labelOf(known) }] : []
  })
}

async function lookAt(host: Host, inUse: PinnedModel[], reach: Reach, signal: AbortSignal): Promise<OutdatedNode> {
  try {
    await using transport = await reach.connector.open(host, signal)
    const options = { host, fleetId: reach.fleetId, startIfDown: false, signal }
    await using agent = await connectAgent(transport, options)
    const { models } = await agent.card(signal)
    const has = new Set(models.map(({ sha256 }) => sha256))
    const isUsed = ({ sha256 }: PinnedModel) => inUse.some((used) => used.sha256 === sha256)
    const older = models.filter(
      (model) => !isUsed(model) && inUse.some((used) => used.name === model.name && byVersion(model, used) < 0),
    )
    return {
      name: host.name,
      missing: inUse.filter(({ sha256 }) => !has.has(sha256)).map(labelOf),
      older: older.map(labelOf),
      error: null,
    }
  } catch (error) {
    signal.throwIfAborted()
    return { name: host.name, missing: [], older: [], error: toCpnError(error) }
  }
}
