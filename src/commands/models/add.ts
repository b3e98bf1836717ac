import { readFile } from 'node:fs/promises'
import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { CpnError } from '../../common/errors.ts'
import { openState } from '../../inventory/state.ts'
import type { AddDetails } from '../../models/add.ts'
import { openModelStore } from '../../models/store.ts'
import { type FamilyName, familyNames, type ModelManifest, modelManifestSchema } from '../../protocol/model.ts'
import { BaseCommand } from '../base.ts'

const thresholdNames = ['score', 'nms', 'verification', 'identification'] as const

export default class ModelsAdd extends BaseCommand {
  static override summary = 'Take in a model file: one of the catalogue, or one of your own with its details.'
  static override description =
    'A file of the catalogue is known by its digest and needs no details. Preprocessing is (value - mean) / std with values from 0 to 255; what is not said is what most models of the family want.'
  static override examples = [
    '<%= config.bin %> models add face_detection_yunet_2023mar.onnx',
    '<%= config.bin %> models add mine.onnx --name mine --family arcface --licence MIT --channels RGB --mean 127.5,127.5,127.5 --std 128,128,128',
    '<%= config.bin %> models add mine.onnx --manifest mine.json',
  ]
  static override args = { file: Args.string({ required: true, description: 'ONNX file; it is copied' }) }
  static override flags = {
    manifest: Flags.string({
      helpValue: 'FILE',
      description: 'manifest (JSON) that says everything',
      exclusive: ['name'],
    }),
    name: Flags.string({ dependsOn: ['family', 'licence'], description: 'name to use it by' }),
    family: Flags.option({ options: familyNames, dependsOn: ['name'] })({ description: 'how it is run' }),
    licence: Flags.string({ dependsOn: ['name'], description: 'under which licence it may be used' }),
    'model-version': Flags.string({ dependsOn: ['name'], description: 'default 1' }),
    description: Flags.string({ dependsOn: ['name'], description: 'what it is for, in one line' }),
    channels: Flags.option({ options: ['RGB', 'BGR'] as const, dependsOn: ['mean', 'std'] })({
      description: 'order of the colours in its input',
    }),
    mean: Flags.string({ helpValue: 'A,B,C', dependsOn: ['channels'], description: 'per channel, in that order' }),
    std: Flags.string({ helpValue: 'A,B,C', dependsOn: ['channels'], description: 'per channel, in that order' }),
    labels: Flags.string({
      helpValue: 'FILE',
      dependsOn: ['name'],
      description: 'names of its classes, one a line in the order of its output (yolox, classifier)',
    }),
    'score-threshold': Flags.string({ dependsOn: ['name'], description: 'lowest score of a face or an object' }),
    'nms-threshold': Flags.string({
      dependsOn: ['name'],
      description: 'highest overlap of two faces, or objects of a class',
    }),
    'verification-threshold': Flags.string({
      dependsOn: ['name'],
      description: 'lowest similarity of one person, 1:1',
    }),
    'identification-threshold': Flags.string({ dependsOn: ['name'], description: 'lowest similarity that names, 1:N' }),
  }

  async run(): Promise<{ model: ModelManifest; path: string }> {
    const { flags, args } = await this.parse(ModelsAdd)
    const ctx = this.context()
    const state = await openState((await findInventory(flags.inventory, ctx)).stateDir)
    const store = openModelStore({ dir: state.modelsDir, logger: ctx.logger })
    const { manifest, path } = await store.add(args.file, await details(flags))
    this.log(`${manifest.name}@${manifest.version} (family ${manifest.family}) is in ${path}`)
    return { model: manifest, path }
  }
}

interface AddFlags {
  manifest?: string
  name?: string
  family?: FamilyName
  licence?: string
  'model-version'?: string
  description?: string
  channels?: 'RGB' | 'BGR'
  mean?: string
  std?: string
  labels?: string
  [threshold: `${string}-threshold`]: string | undefined
}

async function details(flags: AddFlags): Promise<AddDetails | undefined> {
  if (flags.manifest !== undefined) return { manifest: await readManifestFile(flags.manifest) }
  const { name, family, licence, description, channels, mean, std } = flags
  if (name === undefined || family === undefined || licence === undefined) return undefined
  return {
    name,
    family,
    licence,
    description,
    version: flags['model-version'],
    preprocess: channels && { channels, mean: triple('mean', mean), std: triple('std', std) },
    thresholds: thresholds(flags),
    ...(flags.labels === undefined ? {} : { labels: await readLabels(flags.labels) }),
  }
}

async function readLabels(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw usage(`--labels ${file} cannot be read: ${(cause as Error).message}`)
  })
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '')
}

function thresholds(flags: AddFlags): ModelManifest['thresholds'] {
  const given = thresholdNames.filter((name) => flags[`${name}-threshold`] !== undefined)
  return Object.fromEntries(given.map((name) => [name, number(`${name}-threshold`, flags[`${name}-threshold`]!)]))
}

function triple(flag: string, text = ''): number[] {
  const numbers = text.split(',').map((part) => number(flag, part))
  if (numbers.length !== 3) throw usage(`--${flag} wants three numbers, such as 127.5,127.5,127.5`)
  return numbers
}

function number(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw usage(`--${flag} wants a number and not "${text}"`)
  return value
}

async function readManifestFile(file: string): Promise<ModelManifest> {
  try {
    return modelManifestSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new CpnError('CPN_ERR_MODEL_INVALID', `${file} is no manifest of a model: ${(cause as Error).message}`, {
      cause,
      suggestions: ['See docs/models.md for what a manifest has.'],
    })
  }
}

function usage(message: string): CpnError {
  return new CpnError('CPN_ERR_USAGE', message, { suggestions: ['See `cpn models add --help`.'] })
}
