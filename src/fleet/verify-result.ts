import { embeddingLength } from '../matching/dot-products.ts'
import { isUnit } from '../matching/unit-length.ts'
import type { Box, PredictAnswer } from '../protocol/messages.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import type { NodeResult } from '../scheduler/scheduler.ts'
import { copyFormat, type Picture, pictureOf, type Size } from './picture/picture.ts'

/** Long edge of a preview. */
const previewEdge = 2048

/** Bytes that an answer may have, so that a node cannot fill the master's memory. */
export function maxAnswerBytes({ annotate }: Pick<Pipeline, 'annotate'>): number {
  return (annotate === 'full' ? 512 : annotate === 'preview' ? 64 : 16) * 2 ** 20
}

/** What an image says of itself. */
export interface Original {
  format: Picture['format'] | undefined
  /** Before any orientation; undefined when the image, damaged as it may be, does not say. */
  size: Size | undefined
}

export function originalOf(image: Buffer): Original {
  const picture = pictureOf(image)
  return { format: picture?.format, size: picture?.size(image) }
}

/**
 * What is wrong with a node's result for an image, in words; undefined when nothing is. Without decoding anything: that
 * would cost the master what the nodes are there for.
 */
export function faultOf(original: Original, pipeline: Pipeline, result: NodeResult): string | undefined {
  return (
    faultOfSize(original, pipeline, result.answer) ??
    faultOfFaces(pipeline, result.answer) ??
    faultOfObjects(pipeline, result.answer) ??
    faultOfClasses(pipeline, result.answer) ??
    faultOfEmbeddings(pipeline, result) ??
    faultOfThumbnails(pipeline, result) ??
    (result.annotated && faultOfPicture(original, result.annotated, pipeline, result.answer))
  )
}

/** Where the original does not say how large it is, the decoder's word is all there is. */
function faultOfSize(
  { size }: Original,
  { maxPixels }: Pipeline,
  { width, height }: PredictAnswer,
): string | undefined {
  if (width * height > maxPixels) return `an image of ${width}x${height}, more than is accepted`
  if (!size || size.width * size.height === 0) return undefined
  if (sameSize(size, { width, height }, 0) || sameSize(turned(size), { width, height }, 0)) return undefined
  return `a size of ${width}x${height} for an image of ${size.width}x${size.height}`
}

function faultOfFaces({ kind }: Pipeline, answer: PredictAnswer): string | undefined {
  const { faces } = answer
  if (kind !== 'faces' && faces.length > 0) return 'faces that nobody asked for'
  if (faces.some(({ box }) => isOutside(box, answer))) return 'a face outside of the image'
  return faces.some(isWrongScore) ? 'a score that is none' : undefined
}

function faultOfObjects(pipeline: Pipeline, { objects, ...answer }: PredictAnswer): string | undefined {
  if (pipeline.kind !== 'objects') return objects && 'objects that nobody asked for'
  if (!objects) return 'no list of objects'
  const { labels, scoreThreshold } = pipeline.detector
  if (objects.some((object) => object.class >= labels.count)) return 'an object of a class that there is not'
  if (objects.some(({ box }) => isOutside(box, answer))) return 'an object outside of the image'
  if (objects.some((object) => isWrongScore(object) || object.score < scoreThreshold - rounding)) {
    return 'an object with a score that it cannot have'
  }
  return undefined
}

function faultOfClasses(pipeline: Pipeline, { classes }: PredictAnswer): string | undefined {
  if (pipeline.kind !== 'classify') return classes && 'classes that nobody asked for'
  const { labels, top } = pipeline.classifier
  const known = new Set(classes?.map((found) => found.class))
  if (known.size !== top || classes?.length !== top) return 'another number of classes than was asked for'
  if (classes.some((found) => found.class >= labels.count)) return 'a class that there is not'
  const sum = classes.reduce((total, { score }) => total + score, 0)
  return classes.some(isWrongScore) || sum > 1 + top * rounding ? 'probabilities that are none' : undefined
}

/** Scores are told with four decimals. */
const rounding = 1e-4

function isOutside([x, y, across, down]: Box, { width, height }: Pick<PredictAnswer, 'width' | 'height'>): boolean {
  return x < 0 || y < 0 || across < 0 || down < 0 || x + across > width + 1 || y + down > height + 1
}

const isWrongScore = ({ score }: { score: number }) => score < 0 || score > 1

function faultOfEmbeddings(pipeline: Pipeline, { embeddings, answer }: NodeResult): string | undefined {
  const embedder = pipeline.kind === 'faces' ? pipeline.embedder : undefined
  if (!embedder) return embeddings && 'embeddings that nobody asked for'
  if (embeddings?.length !== answer.faces.length) return 'no embedding for some face'
  if (embeddings.some((vector) => vector.length !== embeddingLength)) return 'an embedding of another size'
  return embeddings.every(isUnit) ? undefined : 'an embedding that is not of length 1'
}

/** Long edge of what is small, with some room, and most bytes of one. */
const smallEdge = 256
const smallBytes = 64 * 1024

/** They are shown on pages: each is a whole JPEG, and a small one. */
function faultOfThumbnails(pipeline: Pipeline, { thumbnail, crops, answer }: NodeResult): string | undefined {
  const thumbnails = pipeline.kind !== 'draw' && pipeline.thumbnails
  const wantsCrops = thumbnails && pipeline.kind === 'faces'
  if ((!thumbnails && thumbnail) || (!wantsCrops && crops)) return 'thumbnails that nobody asked for'
  if (!thumbnails) return undefined
  if (!thumbnail || (wantsCrops && crops?.length !== answer.faces.length)) {
    return 'no thumbnail of the picture or some face'
  }
  return [thumbnail, ...(crops ?? [])].every(isSmallJpeg) ? undefined : 'a thumbnail that is no small JPEG'
}

function isSmallJpeg(bytes: Buffer): boolean {
  const picture = pictureOf(bytes)
  const size = picture?.size(bytes)
  if (picture?.format !== 'jpeg' || bytes.length > smallBytes || !size) return false
  return Math.max(size.width, size.height) <= smallEdge && picture.isWhole(bytes)
}

/** The copy is a whole picture of the format that belongs to the original's, as large as the answer and the pipeline make it. */
function faultOfPicture(
  { format }: Original,
  annotated: Buffer,
  { annotate }: Pipeline,
  { width, height, parts }: PredictAnswer,
): string | undefined {
  const copy = pictureOf(annotated)
  if (!copy) return 'a copy that is no picture'
  const said = parts.find((part) => part.name === 'annotated')?.mediaType
  const expectedFormat = format && copyFormat(format)
  if (copy.format !== expectedFormat || said !== `image/${expectedFormat}`)
    return `a ${copy.format} copy of a ${format} image`
  const size = copy.size(annotated)
  const scale = annotate === 'preview' ? Math.min(1, previewEdge / Math.max(width, height)) : 1
  const expectedSize = { width: width * scale, height: height * scale }
  if (!size || !sameSize(size, expectedSize, scale < 1 ? 1 : 0)) {
    return `a copy of ${size?.width}x${size?.height} of an image of ${width}x${height}`
  }
  return copy.isWhole(annotated) ? undefined : 'a copy that is cut off or has something behind it'
}

function sameSize(a: Size, b: Size, tolerance: number): boolean {
  return Math.abs(a.width - b.width) <= tolerance && Math.abs(a.height - b.height) <= tolerance
}

function turned({ width, height }: Size): Size {
  return { width: height, height: width }
}
