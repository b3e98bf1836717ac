import { Args } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { pullModels } from '../../actions/models/pull-models.ts'
import { BaseCommand } from '../base.ts'

interface Pulled {
  name: string
  version: string
  sha256: string
  path: string
}

export default class ModelsPull extends BaseCommand {
  static override summary =
    'Get models of the catalogue, or all that a pipeline uses, after showing their size and licence.'
  static override description =
    'CPN_MODEL_MIRROR (a folder or an address) is asked first, then the public addresses of the model in turn. A file counts only with the digest of the catalogue. What is interrupted goes on where it ended.'
  static override examples = [
    '<%= config.bin %> models pull persons',
    '<%= config.bin %> models pull yunet-s-dynamic mobilefacenet-112 --yes',
    'CPN_MODEL_MIRROR=/media/stick <%= config.bin %> models pull ultraface-320 --yes',
  ]
  static override args = {
    name: Args.string({ required: true, multiple: true, description: 'model or pipeline: name, or name@version' }),
  }

  async run(): Promise<{ models: Pulled[] }> {
    const { flags, args } = await this.parse(ModelsPull)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const installed = await pullModels({ inventory, names: args.name }, ctx)
    const models = installed.map(({ manifest, path }) => {
      return { name: manifest.name, version: manifest.version, sha256: manifest.sha256, path }
    })
    for (const { name, version, path } of models) this.log(`${name}@${version} is in ${path}`)
    return { models }
  }
}
