import type { Box, Face } from '../protocol/messages.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import type { NodeResult } from './scheduler.ts'
import type { Vote } from './votes.ts'

/**
 * What two nodes may differ in without one of them being wrong: processors round differently, and a difference in the
 * last bit of a pixel or a convolution grows on its way to a score. docs/decisions/0015 has what was measured.
 */
export const tolerance = {
  /** Of a score, 0..1. A face this close to the threshold may be missing. */
  score: 0.01,
  /** Pixels, or this share of the box's longer side where that is more; for keypoints too. */
  pixels: 1,
  share: 0.01,
  /** Lowest cosine of two embeddings of one face. */
  cosine: 0.999,
} as const

type Said = Pick<Vote, 'build' | 'opinion'>

/** In what two opinions about one job differ beyond tolerance; undefined when they agree. */
export function differenceOf(one: Said, other: Said, pipeline: Pipeline): string | undefined {
  const [a, b] = [one.opinion, other.opinion]
  if ('error' in a && 'error' in b) return undefined
  if ('error' in a) return `${a.error.code} and a result`
  if ('error' in b) return `a result and ${b.error.code}`
  const sameBuild = one.build !== undefined && one.build === other.build
  return differenceOfResults(a.result, b.result, sameBuild, pipeline)
}

function differenceOfResults(a: NodeResult, b: NodeResult, sameBuild: boolean, pipeline: Pipeline): string | undefined {
  if (a.answer.width !== b.answer.width || a.answer.height !== b.answer.height) return 'the size of the image'
  const pairs = pairUp(a.answer.faces, b.answer.faces)
  if (!isNearThreshold(a, b, pairs, pipeline)) return 'the number of faces'
  for (const [i, j] of pairs) {
    const difference = differenceOfFaces(a.answer.faces[i]!, b.answer.faces[j]!)
    if (difference) return difference
    const [u, v] = [a.embeddings?.[i], b.embeddings?.[j]]
    if (u && v && cosine(u, v) < tolerance.cosine) return 'an embedding'
  }
  return differenceOfPictures(a, b, sameBuild)
}

/** Indices of faces that are the same one: each of `a` with the nearest of `b` that is within tolerance. */
function pairUp(a: readonly Face[], b: readonly Face[]): [number, number][] {
  const free = new Set(b.keys())
  const pairs: [number, number][] = []
  for (const [i, face] of a.entries()) {
    const near = [...free].filter((j) => isSameBox(face.box, b[j]!.box))
    const nearest = near.sort((j, k) => apart(face.box, b[j]!.box) - apart(face.box, b[k]!.box))[0]
    if (nearest === undefined) continue
    free.delete(nearest)
    pairs.push([i, nearest])
  }
  return pairs
}

/** Faces that only one side has are fine when their score is so low that they may as well have been left out. */
function isNearThreshold(a: NodeResult, b: NodeResult, pairs: [number, number][], pipeline: Pipeline): boolean {
  const threshold = pipeline.kind === 'faces' ? pipeline.detector.scoreThreshold : 0
  const limit = threshold + tolerance.score
  const [inA, inB] = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))]
  const lone = [...a.answer.faces.filter((_, i) => !inA.has(i)), ...b.answer.faces.filter((_, j) => !inB.has(j))]
  return lone.every(({ score }) => score <= limit)
}

function differenceOfFaces(a: Face, b: Face): string | undefined {
  if (Math.abs(a.score - b.score) > tolerance.score) return 'the score of a face'
  if ((a.keypoints === null) !== (b.keypoints === null)) return 'the landmarks of a face'
  const allowed = allowedPixels(a.box)
  const isFar = a.keypoints?.some(([x, y], i) => {
    const [u, v] = b.keypoints![i]!
    return Math.abs(x - u) > allowed || Math.abs(y - v) > allowed
  })
  return isFar ? 'the landmarks of a face' : undefined
}

function isSameBox(a: Box, b: Box): boolean {
  return apart(a, b) <= allowedPixels(a)
}

const apart = (a: Box, b: Box) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

const allowedPixels = ([, , width, height]: Box) =>
  Math.max(tolerance.pixels, tolerance.share * Math.max(width, height))

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

/** What is drawn follows from the numbers: the same numbers and the same program make the same bytes. */
function differenceOfPictures(a: NodeResult, b: NodeResult, sameBuild: boolean): string | undefined {
  if ((a.annotated === undefined) !== (b.annotated === undefined)) return 'the picture'
  const isComparable = sameBuild && JSON.stringify(a.answer.faces) === JSON.stringify(b.answer.faces)
  if (!isComparable || !a.annotated || !b.annotated) return undefined
  return a.annotated.equals(b.annotated) ? undefined : 'the picture'
}
