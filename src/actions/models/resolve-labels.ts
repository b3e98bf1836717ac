import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { ModelStore } from '../../models/store.ts'
import { labelsRef } from '../../protocol/labels.ts'
import { type ModelManifest, modelRefSchema } from '../../protocol/model.ts'
import type { ClassifyPipeline, ObjectsPipeline } from '../../protocol/pipeline.ts'
import { ensureModels } from './models.ts'
import type { PipelineOptions, ResolvedPipeline } from './resolve-pipeline.ts'

export const defaultObjectDetector = 'yolox-nano-416'
export const defaultClassifier = 'mobilenetv2-int8'
export const defaultTop = 5

/** The pipelines `objects` and `classify`, whose models have labels. Rejects as resolvePipeline does. */
export async function resolveLabelled(
  store: ModelStore,
  options: PipelineOptions,
  ctx: Context,
): Promise<ResolvedPipeline> {
  const { pipelineName, annotate, maxPixels } = options
  const objects = pipelineName === 'objects'
  const name = objects ? (options.detector ?? defaultObjectDetector) : (options.classifier ?? defaultClassifier)
  const models = await ensureModels(store, [name], ctx)
  const { manifest } = models[0]!
  const { labels } = manifest
  if (manifest.task !== (objects ? 'detect-objects' : 'classify') || !labels) throw unfit(name, pipelineName)
  const looks = objects ? objectsOf(manifest, labels, options) : classesOf(manifest, labels, options)
  const pipeline = { ...looks, annotate, thumbnails: true, maxPixels }
  return { models, embedder: undefined, labels, without: {}, pipeline }
}

function objectsOf(
  manifest: ModelManifest,
  labels: string[],
  { scoreThreshold }: PipelineOptions,
): Pick<ObjectsPipeline, 'kind' | 'detector'> {
  const { score = 0.3, nms = 0.45 } = manifest.thresholds
  const model = modelRefSchema.parse(manifest)
  const detector = { model, labels: labelsRef(labels), scoreThreshold: scoreThreshold ?? score, nmsThreshold: nms }
  return { kind: 'objects', detector }
}

function classesOf(
  manifest: ModelManifest,
  labels: string[],
  { top = defaultTop }: PipelineOptions,
): Pick<ClassifyPipeline, 'kind' | 'classifier'> {
  const model = modelRefSchema.parse(manifest)
  return { kind: 'classify', classifier: { model, labels: labelsRef(labels), top: Math.min(top, labels.length) } }
}

function unfit(name: string, pipeline: string): CpnError {
  return new CpnError('CPN_ERR_MODEL_INVALID', `${name} is no model for the pipeline ${pipeline}`, {
    suggestions: [
      `Choose a model of the task ${pipeline === 'objects' ? 'detect-objects' : 'classify'}: cpn models list`,
    ],
  })
}
