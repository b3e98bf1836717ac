import { markOf } from '../../matching/mark-of.ts'
import type { Match, Matcher } from '../../matching/match.ts'
import type { PredictAnswer } from '../../protocol/messages.ts'
import type { FacesPipeline, Matching } from '../../protocol/pipeline.ts'
import type { Detector, Embedder } from '../families/family.ts'
import { alignFace } from '../vision/align.ts'
import { decodeImage, uprightSize, viewOf } from '../vision/decode.ts'
import { type Detection, scaleDetection, toFace } from '../vision/detection.ts'
import type { LabelPainter } from '../vision/label-painter.ts'
import { flatten, type Raster } from '../vision/raster.ts'
import type { Scratch } from '../vision/scratch.ts'
import { sharpness } from '../vision/sharpness.ts'
import { cropOf, thumbnailOf } from '../vision/thumbnails.ts'
import { findFaces } from './find-faces.ts'
import { Photo } from './photo.ts'
import { annotatedCopy, type Output, viewEdge } from './picture.ts'
import { Stopwatch } from './stopwatch.ts'

export interface FaceTools {
  detector: Detector
  /** Present when the pipeline wants embeddings. */
  embedder: Embedder | undefined
  /** Present when faces are to get names, which takes an embedder. */
  naming?: { matcher: Matcher; matching: Matching } | undefined
  painter: LabelPainter
  /** For the pixels of this one image. */
  scratch: Scratch
}

export interface PipelineResult {
  answer: Omit<PredictAnswer, 'job' | 'attempt' | 'epoch'>
  /** The bytes of answer.parts, in order. */
  parts: Uint8Array[]
}

/** Finds the faces of an image; embeds, names and draws them as the pipeline says. The image's bytes are not changed. */
export async function predictFaces(
  bytes: Uint8Array,
  pipeline: FacesPipeline,
  tools: FaceTools,
): Promise<PipelineResult> {
  const watch = new Stopwatch()
  const image = await watch.time('decodeMs', () => decodeImage(bytes, pipeline.maxPixels, tools.scratch))
  const size = uprightSize(image)
  const view = await watch.time('viewMs', () => viewOf(image, viewEdge))
  const photo = Photo.of(image, view)
  const found = await watch.time('detectMs', () => {
    const { scoreThreshold, nmsThreshold } = pipeline.detector
    return findFaces(photo, tools.detector, { scoreThreshold, nmsThreshold, tryRotations: pipeline.tryRotations })
  })
  const embedded = await watch.time('embedMs', () => embedFaces(photo, found, tools.embedder))
  const faces = found.map((face, i) => toFace(face, size.width, size.height, embedded?.sharpness[i]))
  const names = await watch.time('matchMs', () => nameFaces(embedded, tools))
  const small = pipeline.thumbnails
    ? await watch.time('thumbnailMs', () => thumbnails(view, found, view.width / size.width))
    : []
  const marks = faces.map((face, i) => markOf(face, names?.[i]))
  const drawn = await annotatedCopy(image, view, marks, pipeline.annotate, tools.painter, watch)
  const outputs = [...drawn, ...(embedded ? [embeddingsPart(embedded)] : []), ...small]
  return {
    answer: { ...size, faces, parts: outputs.map(({ part }) => part), timings: watch.timings() },
    parts: outputs.map(({ bytes }) => bytes),
  }
}

interface Embedded {
  /** Of length 1, 128 numbers each. */
  vectors: Float32Array[]
  sharpness: number[]
}

async function embedFaces(
  photo: Photo,
  faces: Detection[],
  embedder: Embedder | undefined,
): Promise<Embedded | undefined> {
  if (!embedder) return undefined
  const embedded: Embedded = { vectors: [], sharpness: [] }
  const original = faces.length === 0 ? undefined : await photo.full()
  for (const face of faces) {
    const aligned = alignFace(original!, face)
    embedded.vectors.push(await embedder.embed(aligned))
    embedded.sharpness.push(sharpness(aligned))
  }
  return embedded
}

function embeddingsPart({ vectors }: Embedded): Output {
  const all = new Float32Array(vectors.length * 128)
  for (const [i, vector] of vectors.entries()) all.set(vector, i * 128)
  const bytes = new Uint8Array(all.buffer)
  return { part: { name: 'embeddings', bytes: bytes.length, shape: [vectors.length, 128] }, bytes }
}

function nameFaces(embedded: Embedded | undefined, { naming }: FaceTools): Match[] | undefined {
  return embedded && naming ? naming.matcher.match(embedded.vectors, naming.matching) : undefined
}

/** @param scale pixels of the view per pixel of the photo */
async function thumbnails(view: Raster, faces: Detection[], scale: number): Promise<Output[]> {
  const whole = await thumbnailOf(view)
  const flat = flatten(view)
  const crops = faces.map((face) => cropOf(flat, scaleDetection(face, scale, scale).box))
  const bytes = Buffer.concat(crops)
  const lengths = crops.map(({ length }) => length)
  return [
    { part: { name: 'thumbnail', bytes: whole.length }, bytes: whole },
    { part: { name: 'crops', bytes: bytes.length, lengths }, bytes },
  ]
}
