import type { Context } from '../common/context.ts'
import { CpnError } from '../common/errors.ts'
import type { InstalledModel, ModelStore } from '../models/store.ts'
import { type ModelManifest, type ModelRef, modelRefSchema } from '../protocol/model.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import { ensureModels } from './models.ts'
import { resolveLabelled } from './resolve-labels.ts'

export const defaultDetector = 'yunet-2023mar'
export const defaultEmbedder = 'mobilefacenet-112'

/** What can be asked for: `persons` is `faces` with embeddings, by which faces get names. */
export const pipelineNames = ['persons', 'faces', 'objects', 'classify'] as const
export type PipelineName = (typeof pipelineNames)[number]

export interface PipelineOptions {
  pipelineName: PipelineName
  /** Model that finds faces or objects, `name` or `name@version`; default that of the pipeline. */
  detector?: string | undefined
  /** Model of the pipeline `classify`, `name` or `name@version`. */
  classifier?: string | undefined
  /** Lowest score of a face or an object; default from the model's manifest. */
  scoreThreshold?: number | undefined
  /** Labels that `classify` tells per picture. */
  top?: number | undefined
  /** Lowest similarity that names a person; default from the embedder's manifest. */
  threshold?: number | undefined
  /** Tells the embedding of every face. */
  embeddings: boolean
  annotate: Pipeline['annotate']
  /** Largest image accepted, width × height. */
  maxPixels: number
}

export interface ResolvedPipeline {
  pipeline: Pipeline
  models: InstalledModel[]
  /** Of the model that embeds faces. */
  embedder: ModelManifest | undefined
  /** Of the model, where nodes answer with classes. */
  labels?: readonly string[]
}

/** The pipeline that the options describe, with its models in the store: what is missing is pulled after asking. */
export async function resolvePipeline(
  store: ModelStore,
  options: PipelineOptions,
  ctx: Context,
): Promise<ResolvedPipeline> {
  const { pipelineName, detector: wanted = defaultDetector } = options
  if (pipelineName === 'objects' || pipelineName === 'classify') return resolveLabelled(store, options, ctx)
  const persons = pipelineName === 'persons'
  const names = [wanted, ...(persons || options.embeddings ? [defaultEmbedder] : [])]
  const models = await ensureModels(store, names, ctx)
  const [detector, embedder] = models.map(({ manifest }) => manifest)
  if (detector?.task !== 'detect-faces') throw notADetector(wanted)
  const { score = 0.6, nms = 0.3 } = detector.thresholds
  return {
    models,
    embedder,
    pipeline: {
      kind: 'faces',
      detector: {
        model: reference(detector),
        scoreThreshold: options.scoreThreshold ?? score,
        nmsThreshold: nms,
      },
      ...(embedder ? { embedder: { model: reference(embedder) } } : {}),
      annotate: options.annotate,
      ...(persons ? { thumbnails: true } : {}),
      maxPixels: options.maxPixels,
    },
  }
}

/** What travels with every job: just what the agent needs. */
const reference = (manifest: ModelManifest): ModelRef => modelRefSchema.parse(manifest)

function notADetector(name: string): CpnError {
  return new CpnError('CPN_ERR_MODEL_INVALID', `${name} does not detect faces`, {
    suggestions: ['Choose a model of the task detect-faces: cpn models list'],
  })
}
