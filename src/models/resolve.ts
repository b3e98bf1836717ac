import { CpnError } from '../common/errors.ts'
import { didYouMean } from '../inventory/nearest.ts'
import type { ModelManifest } from '../protocol/model.ts'
import { catalogue } from './catalogue/index.ts'
import { findByName, type InstalledModel, type ModelStore } from './store.ts'

export interface ResolvedModel {
  manifest: ModelManifest
  /** Undefined for a model of the catalogue that is not here yet. */
  installed: InstalledModel | undefined
}

/**
 * The model that somebody means by `name` or `name@version`, here or in the catalogue.
 * Throws CPN_ERR_MODEL_UNKNOWN with the nearest name and all that there are.
 */
export async function resolveModel(store: ModelStore, name: string): Promise<ResolvedModel> {
  const models = await store.list()
  const installed = findByName(models, name)
  if (installed) return { manifest: installed.manifest, installed }
  const known = findByName(
    catalogue().map((manifest) => ({ manifest })),
    name,
  )
  if (known) return { manifest: known.manifest, installed: undefined }
  const names = [...new Set([...models.map(({ manifest }) => manifest), ...catalogue()].map((model) => model.name))]
  throw unknownModel(name, names)
}

function unknownModel(name: string, names: string[]): CpnError {
  const guess = didYouMean(name.replace(/@.*/, ''), names, '')
  return new CpnError('CPN_ERR_MODEL_UNKNOWN', `there is no model "${name}"${guess === '' ? '' : `: ${guess}`}`, {
    suggestions: [`Choose one of ${names.join(', ')}.`, 'Add a model of your own with `cpn models add FILE`.'],
  })
}
