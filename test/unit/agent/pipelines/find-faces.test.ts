import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import sharp, { type OverlayOptions } from 'sharp'
import { overlap } from '../../../../src/agent/vision/detection.ts'
import type { Face } from '../../../../src/protocol/messages.ts'
import { facesPipeline, runFaces } from '../../../helpers/faces.ts'
import { type Box, countFound } from '../../../helpers/ground-truth.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'

const skip = sharedMissing
const detector = 'yunet-s-dynamic'
const portrait = () => readFileSync(shared('photos', 'azure-faces', 'Family1-Dad1.jpg'))

async function facesOn(bytes: Buffer, options: Parameters<typeof facesPipeline>[1] = {}): Promise<Face[]> {
  return (await runFaces(bytes, facesPipeline(detector, options))).answer.faces
}

/** The part of a photo around its only face, enlarged to 24 megapixels; the face is `fill` times as high as it. */
async function closeUp(photo: Buffer, fill: number): Promise<Buffer> {
  const { width, height } = await sharp(photo).metadata()
  const [face] = await facesOn(photo)
  const [x, y, w, h] = face!.box
  const edge = Math.round(h / fill)
  const left = Math.max(0, Math.round(x + w / 2 - edge / 2))
  const top = Math.max(0, Math.round(y + h / 2 - edge / 2))
  const region = { left, top, width: Math.min(edge, width - left), height: Math.min(edge, height - top) }
  return sharp(photo).extract(region).resize(4900, 4900, { fit: 'fill' }).jpeg({ quality: 85 }).toBuffer()
}

for (const fill of [0.8, 1.3, 1.8]) {
  test(`a face ${fill} times as high as its photo of 24 megapixels is found, once`, { skip }, async () => {
    const faces = await facesOn(await closeUp(portrait(), fill))
    assert.equal(faces.length, 1)
    const [x, y, width, height] = faces[0]!.box
    assert.ok(overlap([x, y, width, height], [0, 0, 4900, 4900]) > Math.min(0.4, fill / 2), `${faces[0]!.box}`)
  })
}

test('faces of 16 pixels in a crowd on 24 megapixels are found', { skip }, async () => {
  const group = readFileSync(shared('photos', 'ultraface-groups', '15.jpg'))
  const people = await facesOn(group)
  const mean = people.reduce((sum, { box }) => sum + Math.sqrt(box[2] * box[3]), 0) / people.length
  const { width: groupWidth, height: groupHeight } = await sharp(group).metadata()
  // A row of the group at many sizes, as a crowd has that goes far back, and most of it far back.
  const overlays: OverlayOptions[] = []
  const truth: Box[] = []
  let top = 100
  for (const size of [60, 40, 28, 20, 16, 16, 16]) {
    const scale = size / mean
    const [width, height] = [Math.round(groupWidth * scale), Math.round(groupHeight * scale)]
    const input = await sharp(group).resize(width, height).toBuffer()
    for (let left = 100; left + width < 5900; left += width + 20) {
      overlays.push({ input, left, top })
      truth.push(...people.map(({ box }): Box => box.map((v, i) => v * scale + [left, top, 0, 0][i]!) as Box))
    }
    top += height + 20
  }
  assert.ok(top < 4000, `${top}`)
  const field = sharp({ create: { width: 6000, height: 4000, channels: 3, background: '#708060' } })
  const faces = await facesOn(await field.composite(overlays).jpeg({ quality: 92 }).toBuffer())
  const found = countFound(
    truth,
    faces.map(({ box }) => box),
    0.4,
  )
  assert.ok(found >= truth.length * 0.95, `${found} of ${truth.length}`)
  assert.ok(faces.length - found <= truth.length * 0.1, `${faces.length - found} are none`)
})

const turned = (photo: Buffer, angle: number) => sharp(photo).rotate(angle).jpeg({ quality: 98 }).toBuffer()

for (const angle of [90, 180, 270]) {
  test(`faces on a photo turned by ${angle}° without EXIF are found on request, where they lie`, { skip }, async () => {
    for (const file of ['azure-faces/identification1.jpg', 'ultraface-groups/12.jpg']) {
      const photo = readFileSync(shared('photos', ...file.split('/')))
      const standing = await runFaces(photo, facesPipeline(detector, { embedder: 'mobilefacenet-112' }))
      const { width, height } = standing.answer
      const options = { tryRotations: true, annotate: 'full', embedder: 'mobilefacenet-112' } as const
      const { answer, parts } = await runFaces(await turned(photo, angle), facesPipeline(detector, options))
      assert.equal(answer.faces.length, standing.answer.faces.length, file)
      const [vectors, wanted] = [parts[1]!, standing.parts[0]!].map((part) => new Float32Array(part.slice().buffer))
      for (const [i, face] of standing.answer.faces.entries()) {
        const points = face.keypoints!.map(([x, y]) => turnPoint(x, y, width, height, angle))
        const near = (other: Face) =>
          Math.hypot(other.keypoints![2]![0] - points[2]![0], other.keypoints![2]![1] - points[2]![1])
        const nearest = answer.faces.reduce((best, other, k) => (near(other) < near(answer.faces[best]!) ? k : best), 0)
        const largest = Math.max(face.box[2], face.box[3])
        for (const [k, [x, y]] of answer.faces[nearest]!.keypoints!.entries()) {
          assert.ok(Math.hypot(x - points[k]![0], y - points[k]![1]) < largest / 8, `${file} ${face.box}: point ${k}`)
        }
        const same = wanted
          .subarray(i * 128, (i + 1) * 128)
          .reduce((sum, v, k) => sum + v * vectors![nearest * 128 + k]!, 0)
        assert.ok(same > 0.8, `${file} ${face.box}: ${same}`)
      }
      // The copy is not turned.
      const { width: outWidth, height: outHeight } = await sharp(parts[0]!).metadata()
      assert.deepEqual([outWidth, outHeight], angle === 180 ? [width, height] : [height, width])
    }
  })
}

function turnPoint(x: number, y: number, width: number, height: number, angle: number): [number, number] {
  if (angle === 90) return [height - y, x]
  return angle === 180 ? [width - x, height - y] : [y, width - x]
}

test('trying rotations changes nothing on photos that stand', { skip }, async () => {
  for (const file of [
    'ultraface-groups/3.jpg',
    'ultraface-groups/15.jpg',
    'azure-faces/identification1.jpg',
    'objects/dog.jpg',
  ]) {
    const photo = readFileSync(shared('photos', ...file.split('/')))
    assert.deepEqual(await facesOn(photo, { tryRotations: true }), await facesOn(photo), file)
  }
})

test('a face at the edge of what a nearer look shows is answered once', { skip }, async () => {
  const faces = await facesOn(readFileSync(shared('photos', 'ultraface-groups', '17.jpg')))
  assert.ok(faces.length > 300, `${faces.length}`)
  for (const [i, face] of faces.entries()) {
    for (const other of faces.slice(i + 1)) assert.ok(overlap(face.box, other.box) <= 0.3)
  }
})
