import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { definePipeline } from '../../actions/models/pipeline-versions.ts'
import { CpnError } from '../../common/errors.ts'
import { labelOf, type PipelineVersion } from '../../models/pipeline-version.ts'
import { BaseCommand } from '../base.ts'

const thresholdNames = ['score', 'nms', 'verification', 'identification'] as const

export default class ModelsDefine extends BaseCommand {
  static override summary = 'Make a version of a pipeline: which models it uses together.'
  static override description =
    'What is left out is as in the version in use; thresholds are those of the models. Nothing uses the new version before `cpn models push`. What a version means never changes: another choice is another version.'
  static override examples = [
    '<%= config.bin %> models define persons@2 --detector yunet-2023mar',
    '<%= config.bin %> models define persons@3 --embedder mine@2 --identification-threshold 0.4',
  ]
  static override args = {
    version: Args.string({ required: true, description: 'faces@VERSION, persons@VERSION or persons-lite@VERSION' }),
  }
  static override flags = {
    detector: Flags.string({ helpValue: 'NAME', description: 'model that finds faces: name, or name@version' }),
    embedder: Flags.string({ helpValue: 'NAME', description: 'model that makes embeddings: name, or name@version' }),
    'score-threshold': Flags.string({ helpValue: '0..1', description: 'lowest score of a face' }),
    'nms-threshold': Flags.string({ helpValue: '0..1', description: 'highest overlap of two faces' }),
    'verification-threshold': Flags.string({ helpValue: '0..1', description: 'lowest similarity of one person, 1:1' }),
    'identification-threshold': Flags.string({ helpValue: '0..1', description: 'lowest similarity that names, 1:N' }),
  }

  async run(): Promise<{ version: PipelineVersion }> {
    const { flags, args } = await this.parse(ModelsDefine)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const { detector, embedder } = flags
    const thresholds = Object.fromEntries(
      thresholdNames.flatMap((name) => {
        const text = flags[`${name}-threshold`]
        return text === undefined ? [] : [[name, share(`${name}-threshold`, text)]]
      }),
    )
    const version = await definePipeline({ inventory, pipeline: args.version, detector, embedder, thresholds }, ctx)
    const models = [version.detector, version.embedder].map(labelOf).join(' and ')
    this.log(`${labelOf(version)} uses ${models}; bring it into use: cpn models push ${labelOf(version)}`)
    return { version }
  }
}

function share(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new CpnError('CPN_ERR_USAGE', `--${flag} ${text} is not a number from 0 to 1`, {
    suggestions: [`Give for example: --${flag} 0.4`],
  })
}
