import type { AnswerPart, Box, PredictAnswer } from '../../protocol/messages.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import type { Detector, Embedder } from '../families/family.ts'
import { alignFace } from '../vision/align.ts'
import { annotate } from '../vision/annotate.ts'
import { type DecodedImage, decodeImage, uprightSize, viewOf } from '../vision/decode.ts'
import { type Detection, toFace } from '../vision/detection.ts'
import { encodeImage } from '../vision/encode.ts'
import { mediaTypes } from '../vision/image-format.ts'
import type { LabelPainter } from '../vision/label-painter.ts'
import type { Raster } from '../vision/raster.ts'
import type { Scratch } from '../vision/scratch.ts'
import { findFaces } from './find-faces.ts'
import { Photo } from './photo.ts'
import { Stopwatch } from './stopwatch.ts'

/** Long edge of what faces are looked for on, and of a preview. */
const viewEdge = 2048

export interface FaceTools {
  detector: Detector
  /** Present when the pipeline wants embeddings. */
  embedder: Embedder | undefined
  painter: LabelPainter
  /** For the pixels of this one image. */
  scratch: Scratch
}

export interface PipelineResult {
  answer: Omit<PredictAnswer, 'job' | 'attempt' | 'epoch'>
  /** The bytes of answer.parts, in order. */
  parts: Uint8Array[]
}

/** Finds the faces of an image, and embeds and draws them as the pipeline says. The image's bytes are not changed. */
export async function predictFaces(bytes: Uint8Array, pipeline: Pipeline, tools: FaceTools): Promise<PipelineResult> {
  const watch = new Stopwatch()
  const image = await watch.time('decodeMs', () => decodeImage(bytes, pipeline.maxPixels, tools.scratch))
  const size = uprightSize(image)
  const view = await watch.time('viewMs', () => viewOf(image, viewEdge))
  const photo = Photo.of(image, view)
  const found = await watch.time('detectMs', () => {
    const { scoreThreshold, nmsThreshold } = pipeline.detector
    return findFaces(photo, tools.detector, { scoreThreshold, nmsThreshold, tryRotations: pipeline.tryRotations })
  })
  const embeddings = await watch.time('embedMs', () => embedFaces(photo, found, tools.embedder))
  const faces = found.map((face) => toFace(face, size.width, size.height))
  const outputs = [...(await picture(image, view, faces, pipeline, tools, watch)), ...embeddings]
  return {
    answer: { ...size, faces, parts: outputs.map(({ part }) => part), timings: watch.timings() },
    parts: outputs.map(({ bytes }) => bytes),
  }
}

interface Output {
  part: AnswerPart
  bytes: Uint8Array
}

async function embedFaces(photo: Photo, faces: Detection[], embedder?: Embedder): Promise<Output[]> {
  if (!embedder) return []
  const vectors = new Float32Array(faces.length * 128)
  const original = faces.length === 0 ? undefined : await photo.full()
  for (const [i, face] of faces.entries()) vectors.set(await embedder.embed(alignFace(original!, face)), i * 128)
  const bytes = new Uint8Array(vectors.buffer)
  return [{ part: { name: 'embeddings', bytes: bytes.length, shape: [faces.length, 128] }, bytes }]
}

async function picture(
  image: DecodedImage,
  view: Raster,
  faces: { box: Box; score: number }[],
  { annotate: mode }: Pipeline,
  { painter }: FaceTools,
  watch: Stopwatch,
): Promise<Output[]> {
  if (mode === 'none') return []
  const canvas = mode === 'full' ? await watch.time('viewMs', () => viewOf(image, Number.POSITIVE_INFINITY)) : view
  const { width, height } = uprightSize(image)
  const marks = faces.map(({ box, score }) => ({
    box: scaleBox(box, canvas.width / width, canvas.height / height),
    label: score.toFixed(2),
  }))
  await watch.time('annotateMs', () => annotate(canvas, marks, painter))
  const bytes = await watch.time('encodeMs', () => encodeImage(canvas, image))
  return [{ part: { name: 'annotated', bytes: bytes.length, mediaType: mediaTypes[image.format] }, bytes }]
}

function scaleBox([x, y, width, height]: Box, across: number, down: number): Box {
  return [x * across, y * down, width * across, height * down]
}
