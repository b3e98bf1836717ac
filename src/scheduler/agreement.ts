import type { Box, Face, FoundClass, FoundObject } from '../protocol/messages.ts'
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
  /** Of a class's probability: networks of 8 bits round more coarsely, and some processors saturate in between. */
  probability: 0.05,
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
  return (
    differenceOfFound(a, b, pipeline) ??
    differenceOfClasses(a.answer.classes ?? [], b.answer.classes ?? []) ??
    differenceOfPictures(a, b, sameBuild)
  )
}

function differenceOfFound(a: NodeResult, b: NodeResult, pipeline: Pipeline): string | undefined {
  const faces = pairUp(a.answer.faces, b.answer.faces)
  if (!isNearThreshold(a.answer.faces, b.answer.faces, faces, pipeline)) return 'the number of faces'
  for (const [i, j] of faces) {
    const difference = differenceOfFaces(a.answer.faces[i]!, b.answer.faces[j]!)
    if (difference) return difference
    const [u, v] = [a.embeddings?.[i], b.embeddings?.[j]]
    if (u && v && cosine(u, v) < tolerance.cosine) return 'an embedding'
  }
  const [some, others] = [a.answer.objects ?? [], b.answer.objects ?? []]
  const objects = pairUp(some, others)
  if (!isNearThreshold(some, others, objects, pipeline)) return 'the number of objects'
  const apart = objects.some(([i, j]) => Math.abs(some[i]!.score - others[j]!.score) > tolerance.score)
  return apart ? 'the score of an object' : undefined
}

type Found = Pick<Face, 'box' | 'score'> & Partial<Pick<FoundObject, 'class'>>

/** Indices of what is the same: each of `a` with the nearest of `b`, of the same class, that is within tolerance. */
function pairUp(a: readonly Found[], b: readonly Found[]): [number, number][] {
  const free = new Set(b.keys())
  const pairs: [number, number][] = []
  for (const [i, one] of a.entries()) {
    const near = [...free].filter((j) => one.class === b[j]!.class && isSameBox(one.box, b[j]!.box))
    const nearest = near.sort((j, k) => apart(one.box, b[j]!.box) - apart(one.box, b[k]!.box))[0]
    if (nearest === undefined) continue
    free.delete(nearest)
    pairs.push([i, nearest])
  }
  return pairs
}

/** What only one side has is fine when its score is so low that it may as well have been left out. */
function isNearThreshold(
  a: readonly Found[],
  b: readonly Found[],
  pairs: [number, number][],
  pipeline: Pipeline,
): boolean {
  const threshold = 'detector' in pipeline ? pipeline.detector.scoreThreshold : 0
  const limit = threshold + tolerance.score
  const [inA, inB] = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))]
  const lone = [...a.filter((_, i) => !inA.has(i)), ...b.filter((_, j) => !inB.has(j))]
  return lone.every(({ score }) => score <= limit)
}

/** A class that only one side has may have been just below the other's last. */
function differenceOfClasses(a: readonly FoundClass[], b: readonly FoundClass[]): string | undefined {
  const isFar = (from: readonly FoundClass[], to: readonly FoundClass[]) => {
    const scores = new Map(to.map((found) => [found.class, found.score]))
    const last = Math.min(...scores.values())
    return from.some(({ class: index, score }) => {
      const other = scores.get(index)
      return other === undefined
        ? score > last + tolerance.probability
        : Math.abs(score - other) > tolerance.probability
    })
  }
  return isFar(a, b) || isFar(b, a) ? 'the probability of a class' : undefined
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
  const isComparable = sameBuild && drawnFrom(a) === drawnFrom(b)
  if (!isComparable || !a.annotated || !b.annotated) return undefined
  return a.annotated.equals(b.annotated) ? undefined : 'the picture'
}

const drawnFrom = ({ answer: { faces, objects, classes } }: NodeResult) => JSON.stringify({ faces, objects, classes })
