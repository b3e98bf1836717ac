import type { Context } from '../common/context.ts'
import { CpnError } from '../common/errors.ts'
import type { InstalledModel, ModelStore } from '../models/store.ts'
import { type ModelManifest, type ModelRef, modelRefSchema } from '../protocol/model.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import { ensureModels } from './models.ts'

export const defaultDetector = 'yunet-s-dynamic'
export const defaultEmbedder = 'mobilefacenet-112'

/** What can be asked for: `persons` is `faces` with embeddings, by which faces get names. */
export const pipelineNames = ['persons', 'faces'] as const
export type PipelineName = (typeof pipelineNames)[number]

export interface PipelineOptions {
  pipelineName: PipelineName
  /** Model name, `name` or `name@version`. */
  detector: string
  /** Lowest score of a face; default from the model's manifest. */
  scoreThreshold?: number
  /** Lowest similarity that names a person; default from the embedder's manifest. */
  threshold?: number | undefined
  /** Tells the embedding of every face. */
  embeddings: boolean
  /** Looks for faces on turned photos, too. */
  tryRotations?: boolean
  annotate: Pipeline['annotate']
  /** Largest image accepted, width × height. */
  maxPixels: number
}

export interface ResolvedPipeline {
  pipeline: Pipeline
  models: InstalledModel[]
  /** Of the model that embeds faces. */
  embedder: ModelManifest | undefined
}

/** The pipeline that the options describe, with its models in the store: what is missing is pulled after asking. */
export async function resolvePipeline(
  store: ModelStore,
  options: PipelineOptions,
  ctx: Context,
): Promise<ResolvedPipeline> {
  const persons = options.pipelineName === 'persons'
  const names = [options.detector, ...(persons || options.embeddings ? [defaultEmbedder] : [])]
  const models = await ensureModels(store, names, ctx)
  const [detector, embedder] = models.map(({ manifest }) => manifest)
  if (detector?.task !== 'detect-faces') throw notADetector(options.detector)
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
      ...(options.tryRotations ? { tryRotations: true } : {}),
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
