import type { Context } from '../../common/context.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { openState } from '../../inventory/state.ts'
import {
  looksForPersons,
  type PinnedModel,
  type PipelineVersion,
  pipelineNames,
} from '../../models/pipeline-version.ts'
import type { InstalledModel } from '../../models/store.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { noticeOf, otherModel } from '../people/naming.ts'
import { openStores, pinnedModels, type Stores } from './resolve-pipeline.ts'

/**
 * Gets models by their names, and all that a pipeline uses by its own: `persons` is the version in use, `persons@2` that
 * one. Rejects as ensureModels does.
 */
export async function pullModels(
  { inventory, names }: { inventory: Inventory; names: string[] },
  ctx: Context,
): Promise<InstalledModel[]> {
  const state = await openState(inventory.stateDir)
  const stores = openStores(state, ctx)
  const wanted = await Promise.all(names.map(async (name) => (await versionOf(stores, name)) ?? name))
  const models = wanted.flatMap<string | PinnedModel>((each) =>
    typeof each === 'string' ? each : [each.detector, each.embedder],
  )
  const installed = new Map<string, InstalledModel>()
  for (const model of await pinnedModels(stores.models, models, ctx)) installed.set(model.manifest.sha256, model)
  const people = await new PeopleStore(state.peopleDir).read()
  for (const each of wanted) {
    if (typeof each === 'string' || !looksForPersons(each.name)) continue
    const { manifest } = installed.get(each.embedder.sha256)!
    if (people.model && people.model.sha256 !== manifest.sha256) ctx.notice(noticeOf(otherModel(people, manifest)))
  }
  return [...installed.values()]
}

/** Undefined for a name that is no pipeline's, or a model's of somebody's own. */
async function versionOf({ models, pipelines }: Stores, name: string): Promise<PipelineVersion | undefined> {
  const pipeline = pipelineNames.find((each) => each === name.replace(/@.*/, ''))
  if (pipeline === undefined || (await models.find(name))) return undefined
  return name === pipeline ? pipelines.active(pipeline) : pipelines.find(name)
}
