import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { overlap } from '../../../../src/agent/vision/detection.ts'
import type { Box } from '../../../../src/protocol/messages.ts'
import { type FacesOptions, facesPipeline, runFaces } from '../../../helpers/faces.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'

const skip = sharedMissing
const detectors = ['yunet-2023mar', 'yunet-s-dynamic', 'ultraface-320']

async function facesOn(file: string, detector: string, options?: FacesOptions) {
  const { answer } = await runFaces(readFileSync(shared('photos', file)), facesPipeline(detector, options))
  return answer.faces
}

for (const detector of detectors) {
  test(`${detector} finds the faces of the reference photos`, { skip }, async () => {
    const found = []
    for (const photo of ['3.jpg', '12.jpg', '15.jpg']) found.push(await facesOn(`ultraface-groups/${photo}`, detector))
    found.push(await facesOn('azure-faces/identification1.jpg', detector))
    assert.deepEqual(
      found.map((faces) => faces.length),
      [5, 5, 16, 4],
    )
  })

  test(`${detector} finds all annotated faces of dlib's photos`, { skip }, async () => {
    const missed = []
    for (const [photo, boxes] of annotations()) {
      const faces = await facesOn(`dlib-faces/${photo}`, detector, { scoreThreshold: 0.5 })
      missed.push(
        ...boxes.filter((box) => faces.every((face) => overlap(face.box, box) < 0.4)).map((box) => [photo, box]),
      )
    }
    assert.equal([...annotations().values()].flat().length, 43)
    assert.deepEqual(missed, [])
  })
}

test('keypoints lie in their face: eyes above nose above mouth, the right eye on the left', { skip }, async () => {
  for (const detector of ['yunet-2023mar', 'yunet-s-dynamic']) {
    for (const { box, keypoints } of await facesOn('ultraface-groups/15.jpg', detector)) {
      const [rightEye, leftEye, nose, rightMouth, leftMouth] = keypoints!
      assert.ok(rightEye![0] < leftEye![0] && rightMouth![0] < leftMouth![0])
      assert.ok(Math.max(rightEye![1], leftEye![1]) < nose![1] && nose![1] < Math.min(rightMouth![1], leftMouth![1]))
      for (const [x, y] of keypoints!) {
        assert.ok(x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3])
      }
    }
  }
})

test('the fixed and the dynamic YuNet agree', { skip }, async () => {
  const fixed = await facesOn('azure-faces/identification1.jpg', 'yunet-2023mar')
  const dynamic = await facesOn('azure-faces/identification1.jpg', 'yunet-s-dynamic')
  for (const [i, face] of fixed.entries()) assert.ok(overlap(face.box, dynamic[i]!.box) > 0.95)
})

/** Photos of dlib's two annotation files with the boxes in them. */
function annotations(): Map<string, Box[]> {
  const photos = new Map<string, Box[]>()
  for (const file of ['testing.xml', 'training.xml']) {
    const xml = readFileSync(shared('photos', 'dlib-faces', file), 'latin1')
    for (const [, photo, body] of xml.matchAll(/<image file='([^']+)'[^>]*>(.*?)<\/image>/gs)) {
      const boxes = [...body!.matchAll(/<box top='(-?\d+)' left='(-?\d+)' width='(\d+)' height='(\d+)'/g)]
      const numbers = boxes.map((box) => box.slice(1).map(Number) as [number, number, number, number])
      photos.set(
        photo!,
        numbers.map(([top, left, width, height]) => [left, top, width, height]),
      )
    }
  }
  return photos
}
