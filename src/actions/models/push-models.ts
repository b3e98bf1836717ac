import type { Context } from '../../common/context.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { labelOf, looksForPersons } from '../../models/pipeline-version.ts'
import { goldenPictures } from '../../rollout/golden-pictures.ts'
import { lockRollouts } from '../../rollout/lock.ts'
import { connectorOf } from '../open-fleet.ts'
import { Push } from './push.ts'
import type { PushEvent, PushOptions, PushReport } from './push-report.ts'
import { openStores, pipelineOf } from './resolve-pipeline.ts'

/** A picture as a run looks at it, without a copy coming back. */
const goldenOptions = { annotate: 'none', thumbnails: false, maxPixels: 100_000_000 } as const

/**
 * Brings a version of a pipeline to the nodes and into use: to the canaries first, then to the rest in batches. What is in
 * use goes on meanwhile. Rejects before anything is sent with CPN_ERR_HOST_UNKNOWN, CPN_ERR_ROLLOUT_BUSY, CPN_ERR_MODEL_*,
 * CPN_ERR_INPUT_MISSING; with CPN_ERR_NO_USABLE_HOST when no node can try it.
 */
export async function pushModels(
  options: PushOptions,
  ctx: Context,
  onEvent: (event: PushEvent) => void,
): Promise<PushReport> {
  const { inventory } = options
  const hosts = selectSomeHosts(inventory, options.hosts)
  const state = await openState(inventory.stateDir)
  using _lock = lockRollouts(state)
  const stores = openStores(state, ctx)
  const version = await stores.pipelines.find(options.version)
  const pictures = await goldenPictures(options.golden)
  const from = await stores.pipelines.active(version.name)
  const here = new Set((await stores.models.list()).map(({ manifest }) => manifest.sha256))
  // Who only looks for faces need not pull what nothing uses.
  const embeddings = looksForPersons(version.name) || here.has(version.embedder.sha256)
  const target = await pipelineOf(stores.models, version, { ...goldenOptions, embeddings }, ctx)
  // Where faces are is all that two versions can be compared by.
  const isComparable = labelOf(from) !== labelOf(version) && here.has(from.detector.sha256)
  const old = isComparable
    ? await pipelineOf(stores.models, from, { ...goldenOptions, embeddings: false }, ctx)
    : undefined
  await using connector = connectorOf(inventory, state, ctx)
  const reach = { connector, fleetId: state.fleetId }
  const bars = (await stores.pipelines.history(version.name)).at(-1)?.without ?? {}
  const isBarred = ({ name }: { name: string }) => bars[name] !== undefined
  // What gave other results shows nothing about others, nor about itself.
  const trusted = hosts.filter((host) => !isBarred(host))
  const canaries = trusted.length > 0 ? trusted : selectSomeHosts(inventory, []).filter((host) => !isBarred(host))
  const parts = {
    hosts,
    canaries,
    state,
    stores,
    version,
    from,
    target,
    old,
    pictures,
    reach,
    bars,
    options,
    ctx,
    onEvent,
  }
  return await new Push(parts).go()
}
