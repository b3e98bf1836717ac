import type { Box, Face } from '../../protocol/messages.ts'

export type Point = [number, number]

/** A face as a detector finds it, in pixels of the raster it was given. */
export interface Detection {
  /** [x, y, width, height] */
  box: Box
  score: number
  /** Right eye, left eye, nose, right mouth corner, left mouth corner; null from detectors that give none. */
  keypoints: Point[] | null
}

/** Share of the two boxes' union that both cover, 0..1. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1])
  if (width <= 0 || height <= 0) return 0
  const both = width * height
  return both / (a[2] * a[3] + b[2] * b[3] - both)
}

/** Detections by falling score, without those that overlap a better one by more than `threshold` (IoU). */
export function suppress<T extends Pick<Detection, 'box' | 'score'>>(detections: T[], threshold: number): T[] {
  const kept: T[] = []
  for (const candidate of detections.toSorted((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => overlap(box, candidate.box) <= threshold)) kept.push(candidate)
  }
  return kept
}

/** A detection with every length multiplied, e.g. from a network's input to the image. */
export function scaleDetection({ box, score, keypoints }: Detection, x: number, y: number): Detection {
  return {
    box: [box[0] * x, box[1] * y, box[2] * x, box[3] * y],
    score,
    keypoints: keypoints?.map((point): Point => [point[0] * x, point[1] * y]) ?? null,
  }
}

/** A detection with its place shifted, e.g. from a part of an image to the image. */
export function moveDetection({ box, score, keypoints }: Detection, x: number, y: number): Detection {
  return {
    box: [box[0] + x, box[1] + y, box[2], box[3]],
    score,
    keypoints: keypoints?.map((point): Point => [point[0] + x, point[1] + y]) ?? null,
  }
}

/** A detection as it is answered: box inside the image, pixels to two decimals, score to four. */
export function toFace(
  { box, score, keypoints }: Detection,
  width: number,
  height: number,
  sharpness?: number | undefined,
): Face {
  return {
    box: boxWithin(box, width, height),
    score: roundScore(score),
    keypoints: keypoints?.map(([x, y]): Point => [round(x), round(y)]) ?? null,
    ...(sharpness === undefined ? {} : { sharpness: Math.round(sharpness * 10_000) / 10_000 }),
  }
}

/** The part of a box that is inside the image, to two decimals. */
export function boxWithin(box: Box, width: number, height: number): Box {
  const left = clamp(box[0], width)
  const top = clamp(box[1], height)
  const right = clamp(box[0] + box[2], width)
  const bottom = clamp(box[1] + box[3], height)
  return [round(left), round(top), round(right - left), round(bottom - top)]
}

/** To four decimals. */
export function roundScore(score: number): number {
  return Math.round(score * 10_000) / 10_000
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
