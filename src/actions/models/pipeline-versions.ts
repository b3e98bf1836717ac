import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { openState, statePaths } from '../../inventory/state.ts'
import { PipelineStore } from '../../models/pipeline-store.ts'
import {
  labelOf,
  type PinnedModel,
  type PipelineName,
  type PipelineVersion,
  pinnedModelSchema,
  pipelineNames,
  pipelineVersionSchema,
} from '../../models/pipeline-version.ts'
import { resolveModel } from '../../models/resolve.ts'
import { type ModelStore, openModelStore } from '../../models/store.ts'
import type { ModelManifest } from '../../protocol/model.ts'
import { lockRollouts } from '../../rollout/lock.ts'

/** A version of a pipeline, as `cpn models list` shows it. */
export interface PipelineEntry {
  /** name@version */
  pipeline: string
  inUse: boolean
  models: string[]
}

export async function listPipelines({ stateDir }: Inventory): Promise<PipelineEntry[]> {
  const store = new PipelineStore(statePaths(stateDir).pipelinesDir)
  const inUse = new Set(await Promise.all(pipelineNames.map(async (name) => labelOf(await store.active(name)))))
  return (await store.list()).map((version) => ({
    pipeline: labelOf(version),
    inUse: inUse.has(labelOf(version)),
    models: [version.detector, version.embedder].map(labelOf),
  }))
}

export interface DefineOptions {
  inventory: Inventory
  /** persons@2 */
  pipeline: string
  /** Models by name or name@version; what is left out is that of the version in use. */
  detector?: string
  embedder?: string
  thresholds: PipelineVersion['thresholds']
}

/** Makes a version of a pipeline out of models that are here or in the catalogue. Nothing uses it before it is pushed. */
export async function definePipeline(options: DefineOptions, ctx: Context): Promise<PipelineVersion> {
  const state = await openState(options.inventory.stateDir)
  using _lock = lockRollouts(state)
  const pipelines = new PipelineStore(state.pipelinesDir)
  const [name, version] = splitLabel(options.pipeline)
  const models = openModelStore({ dir: state.modelsDir, logger: ctx.logger })
  const inUse = await pipelines.active(name)
  const { detector, embedder } = options
  const made = pipelineVersionSchema.parse({
    name,
    version,
    detector: detector === undefined ? inUse.detector : await pin(models, detector, 'detect-faces'),
    embedder: embedder === undefined ? inUse.embedder : await pin(models, embedder, 'embed-faces'),
    thresholds: options.thresholds,
  })
  await pipelines.define(made)
  return made
}

function splitLabel(text: string): [PipelineName, string] {
  const parsed = pipelineVersionSchema
    .pick({ name: true, version: true })
    .safeParse({ name: text.replace(/@.*/, ''), version: text.replace(/^[^@]*@?/, '') })
  if (parsed.success) return [parsed.data.name, parsed.data.version]
  throw new CpnError('CPN_ERR_USAGE', `${text} is not the name of a pipeline and a version of it`, {
    suggestions: [`Give for example ${pipelineNames.map((name) => `${name}@2`).join(' or ')}.`],
  })
}

async function pin(store: ModelStore, name: string, task: ModelManifest['task']): Promise<PinnedModel> {
  const { manifest } = await resolveModel(store, name)
  if (manifest.task === task) return pinnedModelSchema.parse(manifest)
  throw new CpnError('CPN_ERR_MODEL_INVALID', `${labelOf(manifest)} is for ${manifest.task}, not for ${task}`, {
    suggestions: ['See what each model is for: cpn models list'],
  })
}

export interface RolledBack {
  /** name@version */
  from: string
  to: string
  embedderChanged: boolean
}

/**
 * Brings the version before back into use; nothing is sent. Without a name it is the one pipeline that has a version
 * before. Rejects with CPN_ERR_USAGE, CPN_ERR_ROLLOUT_BUSY.
 */
export async function rollBackModels(
  { inventory, name }: { inventory: Inventory; name?: PipelineName },
  ctx: Context,
): Promise<RolledBack> {
  const state = await openState(inventory.stateDir)
  using _lock = lockRollouts(state)
  const store = new PipelineStore(state.pipelinesDir)
  const { from, to } = await store.rollBack(name ?? (await onlyPushed(store)))
  ctx.logger.info({ event: 'models-rolled-back', version: labelOf(to), from: labelOf(from) }, 'models rolled back')
  return {
    from: labelOf(from),
    to: labelOf(to),
    embedderChanged: from.embedder.sha256 !== to.embedder.sha256,
  }
}

async function onlyPushed(store: PipelineStore): Promise<PipelineName> {
  const pushed: PipelineName[] = []
  for (const name of pipelineNames) if ((await store.history(name)).length > 0) pushed.push(name)
  if (pushed.length === 1) return pushed[0]!
  const message =
    pushed.length === 0 ? 'no version was pushed, so there is nothing to go back to' : 'several were pushed'
  throw new CpnError('CPN_ERR_USAGE', message, {
    suggestions: pushed.length === 0 ? ['See what there is: cpn models list'] : [`Say which: ${pushed.join(' or ')}`],
  })
}
