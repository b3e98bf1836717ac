import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import type { Box } from '../../../src/protocol/messages.ts'
import { differenceFromTruth, differenceOfVersions, lostShare, type Opinion } from '../../../src/rollout/compare.ts'

const timings = {}

function saw(...boxes: Box[]): Opinion {
  const faces = boxes.map((box) => ({ box, score: 0.9, keypoints: null }))
  const answer = { job: 'a'.repeat(64), attempt: 1, epoch: 0, width: 100, height: 100, faces, parts: [], timings }
  return { result: { answer } }
}

const [one, two]: Box[] = [
  [0, 0, 10, 10],
  [50, 50, 20, 20],
]

test('a moved box is the same face, another one is lost and new', () => {
  const moved: Box = [1, 0, 10, 10]
  const difference = differenceOfVersions([saw(one!, two!)], [saw([80, 80, 10, 10], moved)])
  const { iou, ...counts } = difference
  assert.deepEqual(counts, { before: 2, after: 2, same: 1, pictures: 1 })
  assert.ok(Math.abs(iou! - 90 / 110) < 1e-9)
  assert.equal(lostShare(difference), 0.5)
})

test('one box cannot be two faces, and the nearest counts', () => {
  const difference = differenceOfVersions([saw([0, 0, 10, 10], [2, 0, 10, 10])], [saw([2, 0, 10, 10])])
  assert.deepEqual([difference.same, difference.iou], [1, 1])
})

test('a picture that cannot be used any more has lost its faces', () => {
  const error = new CpnError('CPN_ERR_IMAGE_DECODE', 'truncated')
  assert.equal(lostShare(differenceOfVersions([saw(one!), saw(two!)], [saw(one!), { error }])), 0.5)
})

test('where there is nothing, nothing is lost', () => {
  const difference = differenceOfVersions([saw()], [saw(one!)])
  assert.deepEqual(difference, { before: 0, after: 1, same: 0, pictures: 1, iou: null })
  assert.equal(lostShare(difference), 0)
})

test('only pictures whose faces are known are compared with the truth', () => {
  const picture = { name: 'a.png', sha256: 'a'.repeat(64), bytes: 1, read: async () => Buffer.alloc(1) }
  assert.equal(differenceFromTruth([picture], [saw(one!)]), undefined)
  const known = [picture, { ...picture, truth: [one!, two!] }]
  const { before, after, same } = differenceFromTruth(known, [saw(one!, two!), saw(one!)])!
  assert.deepEqual([before, after, same], [2, 1, 1])
})
