import type { Context } from '../common/context.ts'
import { CpnError } from '../common/errors.ts'
import type { InstalledModel, ModelStore } from '../models/store.ts'
import { type ModelManifest, type ModelRef, modelRefSchema } from '../protocol/model.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import { ensureModels } from './models.ts'

export const defaultDetector = 'yunet-s-dynamic'
export const defaultEmbedder = 'mobilefacenet-112'

export interface PipelineOptions {
  /** Model name, `name` or `name@version`. */
  detector: string
  /** Lowest score of a face; default from the model's manifest. */
  scoreThreshold?: number
  /** Adds an embedding to every face. */
  embeddings: boolean
  /** Looks for faces on turned photos, too. */
  tryRotations?: boolean
  annotate: Pipeline['annotate']
  /** Largest image accepted, width × height. */
  maxPixels: number
}

/** The pipeline that the options describe, with its models in the store: what is missing is pulled after asking. */
export async function resolvePipeline(
  store: ModelStore,
  options: PipelineOptions,
  ctx: Context,
): Promise<{ pipeline: Pipeline; models: InstalledModel[] }> {
  const names = [options.detector, ...(options.embeddings ? [defaultEmbedder] : [])]
  const models = await ensureModels(store, names, ctx)
  const [detector, embedder] = models.map(({ manifest }) => manifest)
  if (detector?.task !== 'detect-faces') throw notADetector(options.detector)
  const { score = 0.6, nms = 0.3 } = detector.thresholds
  return {
    models,
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
