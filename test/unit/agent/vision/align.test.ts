import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alignFace, cropEdge, fitSimilarity } from '../../../../src/agent/vision/align.ts'
import type { Point } from '../../../../src/agent/vision/detection.ts'
import type { Raster } from '../../../../src/agent/vision/raster.ts'

/** Where ArcFace wants the right eye, left eye, nose and mouth corners. */
const reference: Point[] = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
]

function turn(points: Point[], angle: number, scale: number, x: number, y: number): Point[] {
  const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale]
  return points.map(([u, v]) => [cos * u - sin * v + x, sin * u + cos * v + y])
}

test('a similarity is found exactly when there is one', () => {
  const { a, b, tx, ty } = fitSimilarity(reference, turn(reference, 0.4, 2.5, 30, -7))
  const expected = [2.5 * Math.cos(0.4), 2.5 * Math.sin(0.4), 30, -7]
  for (const [i, value] of [a, b, tx, ty].entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-9)
})

test('points that fall together do not divide by zero', () => {
  const same: Point[] = Array.from({ length: 5 }, () => [3, 3])
  for (const value of Object.values(fitSimilarity(same, reference))) assert.ok(Number.isFinite(value))
})

/** A grey picture with a bright dot at each point. */
function dotted(points: Point[], size: number, radius: number): Raster {
  const data = new Uint8Array(size * size * 3).fill(40)
  for (const [x, y] of points) {
    for (let v = Math.ceil(y - radius); v <= y + radius; v++) {
      for (let u = Math.ceil(x - radius); u <= x + radius; u++)
        data.fill(250, (v * size + u) * 3, (v * size + u) * 3 + 3)
    }
  }
  return { data, width: size, height: size, channels: 3 }
}

for (const [name, angle, scale] of [
  ['turned', 0.5, 1],
  ['large', -0.2, 5],
  ['small', 0.1, 0.6],
] as const) {
  test(`keypoints of a ${name} face come to the reference points`, () => {
    const keypoints = turn(reference, angle, scale, 150, 100)
    const crop = alignFace(dotted(keypoints, 900, 3 * scale), { box: [0, 0, 1, 1], score: 1, keypoints })
    assert.deepEqual([crop.width, crop.height], [cropEdge, cropEdge])
    for (const [x, y] of reference) {
      assert.ok(crop.data[(Math.round(y) * cropEdge + Math.round(x)) * 3]! > 200)
    }
    assert.equal(crop.data[(20 * cropEdge + 56) * 3], 40)
  })
}

test('without keypoints the face is placed by its box', () => {
  const raster = dotted([], 400, 0)
  const crop = alignFace(raster, { box: [100, 100, 100, 130], score: 1, keypoints: null })
  assert.ok(crop.data.every((value) => value === 40))
})

test('a face over the edge is black beyond it', () => {
  const keypoints = turn(reference, 0, 1, -56, 0)
  const crop = alignFace(dotted([], 200, 0), { box: [0, 0, 1, 1], score: 1, keypoints })
  assert.equal(crop.data[(50 * cropEdge + 10) * 3], 0)
  assert.equal(crop.data[(50 * cropEdge + 90) * 3], 40)
})
