import { Args, Flags, type Interfaces } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { type AskedPipelineName, askedPipelines, type PipelineOptions } from '../actions/models/resolve-pipeline.ts'
import { CpnError } from '../common/errors.ts'
import { annotateModes } from '../protocol/pipeline.ts'
import type { Summary } from '../runs/outputs.ts'
import { type FormatName, formatNames } from '../runs/sinks/index.ts'
import { sidecarNames, sidecarPlaces } from '../runs/sinks/results.ts'
import { BaseRun } from './base-run.ts'
import { parseShare } from './base-share.ts'

export default class Predict extends BaseRun {
  static override summary = 'Say who or what is on which photo, by all nodes at once.'

  static override description =
    'Sends every image under PATH to the nodes and writes to OUT: an annotated copy of each under the same relative ' +
    'path, predictions.jsonl (a line per image) and summary.json, which --json prints. Without an inventory this ' +
    'machine does the work. The first Ctrl-C lets the images in work end, the second ends at once; what is written is ' +
    'whole. The same command again goes on where it was: what is finished and has not changed since is skipped.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> ./photos',
    '<%= config.bin %> <%= command.id %> ./photos --out ./found --hosts tag:lab --yes',
    '<%= config.bin %> <%= command.id %> ./photos --pipeline objects',
    '<%= config.bin %> <%= command.id %> one.jpg two.png --pipeline faces --detector ultraface-320 --score-threshold 0.7 --json',
  ]

  static override strict = false

  static override args = {
    path: Args.string({ required: true, description: 'Folder or image; several may be given.' }),
  }

  static override flags = {
    out: Flags.string({
      char: 'o',
      helpValue: 'DIR',
      description: 'Folder of the outputs; default beside a lone PATH, named PATH-predicted.',
    }),
    hosts: Flags.string({ helpValue: 'PATTERN', multiple: true, description: 'Nodes to use; default all.' }),
    pipeline: Flags.option({ options: askedPipelines })({
      description:
        'persons (default): find faces and name those of enrolled people; persons-lite: the same with models that come ' +
        'with cpn, which is the default where those of persons cannot be had; faces: find faces only; objects: find ' +
        'things; classify: say what a picture as a whole shows.',
    }),
    detector: Flags.string({
      helpValue: 'NAME',
      description: 'Model that finds faces or objects; default that of the pipeline’s version in use.',
    }),
    classifier: Flags.string({ helpValue: 'NAME', description: 'Model that classifies; default mobilenetv2-int8.' }),
    'top-k': Flags.integer({ min: 1, max: 1000, helpValue: 'K', description: 'Labels per picture; default 5.' }),
    'score-threshold': Flags.string({
      helpValue: '0..1',
      description: 'Lowest score of a face or an object; default: the model’s.',
    }),
    'try-rotations': Flags.boolean({
      description: 'Look at photos without a good face turned by 90°, 180° and 270°, too: they may lie on their side.',
    }),
    threshold: Flags.string({
      helpValue: '0..1',
      description: 'Lowest similarity that names a person; default: the model’s.',
    }),
    embeddings: Flags.boolean({ description: 'Add each face’s embedding to predictions.jsonl.' }),
    annotate: Flags.option({ options: annotateModes })({
      default: 'preview',
      description: 'Annotated copies: preview (long edge at most 2048), full (original size) or none.',
    }),
    format: Flags.string({
      helpValue: formatNames.join(','),
      default: 'jsonl',
      description: 'Files of results besides predictions.jsonl and index.html, which are always written.',
    }),
    sidecars: Flags.option({ options: sidecarPlaces })({
      default: 'out',
      description: 'Where --format xmp writes: beside the copies in OUT, or beside the originals.',
    }),
    'sidecar-names': Flags.option({ options: sidecarNames })({
      default: 'full',
      description: 'full: photo.jpg.xmp, as digiKam and darktable read it; stem: photo.xmp, as Adobe’s programs do.',
    }),
    'write-metadata': Flags.boolean({ description: 'Write faces and names into the ORIGINAL JPEG files, too.' }),
    'max-megapixels': Flags.integer({ min: 1, max: 1000, default: 100, description: 'Largest image accepted.' }),
  }

  async run(): Promise<Summary> {
    const { flags, argv } = await this.parse(Predict)
    const formats = parseFormats(flags.format)
    refuseForeignFlags({
      pipeline: flags.pipeline,
      'format xmp': formats.includes('xmp'),
      'write-metadata': flags['write-metadata'],
    })
    const ctx = this.runContext(flags)
    const inventory = await findInventory(flags.inventory, ctx)
    const options = {
      inventory,
      paths: argv as string[],
      out: flags.out,
      hosts: flags.hosts ?? [],
      ...pipelineOptions(flags),
      results: {
        formats,
        sidecars: flags.sidecars,
        sidecarNames: flags['sidecar-names'],
        writeMetadata: flags['write-metadata'],
      },
    }
    return this.work(options, flags, ctx)
  }
}

function parseFormats(text: string): FormatName[] {
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !formatNames.some((format) => format === name))
  if (unknown === undefined) return names as FormatName[]
  throw new CpnError('CPN_ERR_USAGE', `--format has no ${unknown || 'empty name'}`, {
    suggestions: [`Give one or more of these, joined by commas: ${formatNames.join(', ')}`],
  })
}

const aboutPersons = ['persons', 'persons-lite'] as const
const aboutFaces = [...aboutPersons, 'faces'] as const

/** Flags that only some pipelines know. */
const pipelinesOf: Record<string, readonly AskedPipelineName[]> = {
  detector: [...aboutFaces, 'objects'],
  'score-threshold': [...aboutFaces, 'objects'],
  threshold: aboutPersons,
  embeddings: aboutFaces,
  'format xmp': aboutFaces,
  'write-metadata': aboutFaces,
  classifier: ['classify'],
  'top-k': ['classify'],
}

type PipelineFlags = Omit<
  Interfaces.InferredFlags<typeof Predict.flags>,
  'format' | 'sidecars' | 'sidecar-names' | 'write-metadata'
>

/** What is done to each image, as the flags of `predict` and `plan` say. */
export function pipelineOptions(flags: PipelineFlags): PipelineOptions {
  refuseForeignFlags(flags)
  return {
    detector: flags.detector,
    classifier: flags.classifier,
    top: flags['top-k'],
    pipelineName: flags.pipeline ?? 'persons',
    mayBeLite: flags.pipeline === undefined,
    scoreThreshold: parseShare('score-threshold', flags['score-threshold']),
    tryRotations: flags['try-rotations'],
    threshold: parseShare('threshold', flags.threshold),
    embeddings: flags.embeddings,
    annotate: flags.annotate,
    maxPixels: flags['max-megapixels'] * 1_000_000,
  }
}

/** A flag that would change nothing is a misunderstanding. */
function refuseForeignFlags({
  pipeline = 'persons',
  ...flags
}: { pipeline: AskedPipelineName | undefined } & Record<string, unknown>): void {
  for (const [flag, pipelines] of Object.entries(pipelinesOf)) {
    if (flags[flag] === undefined || flags[flag] === false || pipelines.includes(pipeline)) continue
    throw new CpnError('CPN_ERR_USAGE', `--${flag} means nothing to the pipeline ${pipeline}`, {
      suggestions: [`It is for: ${pipelines.join(', ')}.`],
    })
  }
}
