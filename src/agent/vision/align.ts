import type { Box } from '../../protocol/messages.ts'
import type { Detection, Point } from './detection.ts'
import type { Raster } from './raster.ts'

/** Edge of an aligned crop. */
export const cropEdge = 112

/** Where ArcFace wants right eye, left eye, nose, right and left mouth corner on its crop (insightface, arcface_dst). */
const referencePoints: Point[] = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
]

/** Where the five points lie in a face's box on average; for detectors that give a box only. */
const typicalPoints: Point[] = [
  [0.26, 0.39],
  [0.74, 0.39],
  [0.5, 0.57],
  [0.3, 0.725],
  [0.7, 0.725],
]

/** x' = a·x - b·y + tx, y' = b·x + a·y + ty: turn, scale and shift. */
export interface Similarity {
  a: number
  b: number
  tx: number
  ty: number
}

/** The similarity that brings `from` closest to `to` (least squares). */
export function fitSimilarity(from: Point[], to: Point[]): Similarity {
  const [fromX, fromY] = centre(from)
  const [toX, toY] = centre(to)
  let dot = 0
  let cross = 0
  let spread = 0
  for (const [i, point] of from.entries()) {
    const x = point[0] - fromX
    const y = point[1] - fromY
    const u = to[i]![0] - toX
    const v = to[i]![1] - toY
    dot += x * u + y * v
    cross += x * v - y * u
    spread += x * x + y * y
  }
  const a = spread === 0 ? 1 : dot / spread
  const b = spread === 0 ? 0 : cross / spread
  return { a, b, tx: toX - a * fromX + b * fromY, ty: toY - b * fromX - a * fromY }
}

function centre(points: Point[]): Point {
  const sum = points.reduce(([x, y], point) => [x + point[0], y + point[1]], [0, 0])
  return [sum[0] / points.length, sum[1] / points.length]
}

/** The face cut out of an RGB raster, turned and scaled to ArcFace's reference points; black beyond the edges. */
export function alignFace(raster: Raster, { box, keypoints }: Detection): Raster {
  return sample(raster, fitSimilarity(referencePoints, keypoints ?? pointsInBox(box)), cropEdge)
}

/** A square of an RGB raster, scaled to the given edge; black beyond the edges. */
export function sampleSquare(
  raster: Raster,
  { left, top, size }: { left: number; top: number; size: number },
  edge: number,
): Raster {
  const a = size / edge
  return sample(raster, { a, b: 0, tx: left + a / 2 - 0.5, ty: top + a / 2 - 0.5 }, edge)
}

function pointsInBox([x, y, width, height]: Box): Point[] {
  return typicalPoints.map(([u, v]): Point => [x + u * width, y + v * height])
}

/** Samples the raster where `toSource` leads from each crop pixel; large faces get several samples a pixel. */
function sample(raster: Raster, toSource: Similarity, edge: number): Raster {
  const crop = new Uint8Array(edge * edge * 3)
  // A bilinear sample covers two pixels.
  const samples = Math.min(8, Math.max(1, Math.ceil(Math.hypot(toSource.a, toSource.b) / 2)))
  for (let y = 0; y < edge; y++) sampleRow(raster, toSource, y, samples, crop, edge)
  return { data: crop, width: edge, height: edge, channels: 3 }
}

/** One row of the crop: bilinear samples, averaged. Whole numbers are pixel centres. */
function sampleRow(
  raster: Raster,
  { a, b, tx, ty }: Similarity,
  y: number,
  samples: number,
  crop: Uint8Array,
  edge: number,
): void {
  const { data, width, height } = raster
  const share = 1 / (samples * samples)
  for (let x = 0, to = y * edge * 3; x < edge; x++, to += 3) {
    let red = 0.5
    let green = 0.5
    let blue = 0.5
    for (let sample = 0; sample < samples * samples; sample++) {
      const u = x + ((sample % samples) + 0.5) / samples - 0.5
      const v = y + (Math.floor(sample / samples) + 0.5) / samples - 0.5
      const sourceX = a * u - b * v + tx
      const sourceY = b * u + a * v + ty
      const left = Math.floor(sourceX)
      const top = Math.floor(sourceY)
      if (left < 0 || top < 0 || left >= width - 1 || top >= height - 1) continue
      const right = (sourceX - left) * share
      const rest = share - right
      const down = sourceY - top
      const upper = (top * width + left) * 3
      const lower = upper + width * 3
      red += mix(data, upper, lower, rest, right, down)
      green += mix(data, upper + 1, lower + 1, rest, right, down)
      blue += mix(data, upper + 2, lower + 2, rest, right, down)
    }
    crop[to] = red
    crop[to + 1] = green
    crop[to + 2] = blue
  }
}

/** Two pixels next to each other and the two below them, weighed. */
function mix(data: Uint8Array, upper: number, lower: number, left: number, right: number, down: number): number {
  const top = data[upper]! * left + data[upper + 3]! * right
  const bottom = data[lower]! * left + data[lower + 3]! * right
  return top + (bottom - top) * down
}
