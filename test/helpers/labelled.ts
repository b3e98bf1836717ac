import sharp from 'sharp'
import { ModelLoader } from '../../src/agent/model-loader.ts'
import type { PipelineResult } from '../../src/agent/pipelines/faces.ts'
import { predictClasses, predictObjects } from '../../src/agent/pipelines/labelled.ts'
import { LabelPainter } from '../../src/agent/vision/label-painter.ts'
import { Scratch } from '../../src/agent/vision/scratch.ts'
import { labelsRef } from '../../src/protocol/labels.ts'
import type { ModelManifest } from '../../src/protocol/model.ts'
import type { ClassifyPipeline, ObjectsPipeline } from '../../src/protocol/pipeline.ts'
import { model, modelsFolder } from './faces.ts'
import { fontsFolder } from './fonts.ts'

type PictureOptions = Partial<Pick<ObjectsPipeline, 'annotate' | 'thumbnails'>>

/** A pipeline with the thresholds of the model's manifest. */
export function objectsPipeline(name: string, options: PictureOptions & { scoreThreshold?: number } = {}) {
  const { scoreThreshold, annotate = 'none', ...rest } = options
  const manifest = model(name)
  return {
    kind: 'objects',
    detector: {
      model: manifest,
      labels: labelsRef(manifest.labels!),
      scoreThreshold: scoreThreshold ?? manifest.thresholds.score!,
      nmsThreshold: manifest.thresholds.nms!,
    },
    annotate,
    maxPixels: 100_000_000,
    ...rest,
  } satisfies ObjectsPipeline
}

export function classifyPipeline(name: string, options: PictureOptions & { top?: number } = {}) {
  const { top = 5, annotate = 'none', ...rest } = options
  const manifest = model(name)
  return {
    kind: 'classify',
    classifier: { model: manifest, labels: labelsRef(manifest.labels!), top },
    annotate,
    maxPixels: 100_000_000,
    ...rest,
  } satisfies ClassifyPipeline
}

let loader: ModelLoader | undefined

/** Runs a pipeline in this process. */
export async function runLabelled(
  bytes: Uint8Array,
  pipeline: ObjectsPipeline | ClassifyPipeline,
): Promise<PipelineResult> {
  loader ??= new ModelLoader(modelsFolder(), 1)
  const { model, labels } = pipeline.kind === 'objects' ? pipeline.detector : pipeline.classifier
  const painter = new LabelPainter(fontsFolder())
  const tools = { labels: await loader.labels(model, labels), painter, scratch: new Scratch() }
  return pipeline.kind === 'objects'
    ? predictObjects(bytes, pipeline, await loader.objectDetector(model), tools)
    : predictClasses(bytes, pipeline, await loader.classifier(model), tools)
}

/** The labels of what a pipeline's answer has, in its order. */
export function labelsOf({ answer }: PipelineResult, { labels }: Pick<ModelManifest, 'labels'>): string[] {
  return [...(answer.objects ?? []), ...(answer.classes ?? [])].map((found) => labels![found.class]!)
}

export interface Patch {
  /** As CSS has it. */
  colour: string
  left: number
  top: number
  size: number
}

/** A picture of solid squares on grey. */
export async function patchedPhoto(width: number, height: number, patches: Patch[]): Promise<Buffer> {
  const squares = patches.map(({ colour, left, top, size }) => ({
    input: { create: { width: size, height: size, channels: 3 as const, background: colour } },
    left,
    top,
  }))
  const grey = { create: { width, height, channels: 3 as const, background: '#808080' } }
  return sharp(grey).composite(squares).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()
}
