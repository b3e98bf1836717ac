import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Detection, overlap, scaleDetection, suppress, toFace } from '../../../../src/agent/vision/detection.ts'
import type { Box } from '../../../../src/protocol/messages.ts'

const at = (box: Box, score: number): Detection => ({ box, score, keypoints: null })

test('overlap is intersection over union', () => {
  assert.equal(overlap([0, 0, 10, 10], [0, 0, 10, 10]), 1)
  assert.equal(overlap([0, 0, 10, 10], [5, 0, 10, 10]), 50 / 150)
  assert.equal(overlap([0, 0, 10, 10], [10, 0, 10, 10]), 0)
})

test('of boxes that overlap too much the best is kept, best first', () => {
  const found = [at([0, 0, 10, 10], 0.7), at([1, 0, 10, 10], 0.9), at([30, 30, 10, 10], 0.95), at([8, 0, 10, 10], 0.6)]
  assert.deepEqual(
    suppress(found, 0.3).map(({ score }) => score),
    [0.95, 0.9, 0.6],
  )
})

test('an answered face lies in the image, rounded; keypoints may lie outside', () => {
  const keypoints = Array.from({ length: 5 }, () => [-1.234, 50.006] as [number, number])
  assert.deepEqual(toFace({ box: [-5, 90.123, 20.456, 30], score: 0.912345, keypoints }, 100, 100), {
    box: [0, 90.12, 15.46, 9.88],
    score: 0.9123,
    keypoints: keypoints.map(() => [-1.23, 50.01]),
  })
})

test('boxes and keypoints scale together', () => {
  const scaled = scaleDetection({ box: [1, 2, 3, 4], score: 1, keypoints: [[1, 2]] }, 2, 3)
  assert.deepEqual(scaled, { box: [2, 6, 6, 12], score: 1, keypoints: [[2, 6]] })
})
