import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import sharp from 'sharp'
import { overlap } from '../../../../src/agent/vision/detection.ts'
import { imageFormats, mediaTypes } from '../../../../src/agent/vision/image-format.ts'
import type { PredictAnswer } from '../../../../src/protocol/messages.ts'
import { type DrawnPhoto, drawnPhoto } from '../../../helpers/drawn-images.ts'
import { facesPipeline, runFaces } from '../../../helpers/faces.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'
import { storedAs } from '../../../helpers/stored-as.ts'

const skip = sharedMissing
type Answer = Pick<PredictAnswer, 'width' | 'height' | 'faces'>

/** Fails unless the answer has the squares of a drawn photo and nothing else. */
function assertSquares(answer: Answer, squares: DrawnPhoto['squares'], tolerance: number): void {
  assert.equal(answer.faces.length, squares.length)
  for (const [x, y, size] of squares) {
    const found = answer.faces.some(({ box }) =>
      [x, y, size, size].every((value, i) => Math.abs(value - box[i]!) <= tolerance),
    )
    assert.ok(found, `no face at ${x},${y},${size}: ${JSON.stringify(answer.faces)}`)
  }
}

/** Mean difference of two pictures, 0..255 a channel. */
async function difference(first: Uint8Array, second: Uint8Array): Promise<number> {
  const [a, b] = await Promise.all([first, second].map((bytes) => sharp(bytes).removeAlpha().raw().toBuffer()))
  assert.equal(a!.length, b!.length)
  return a!.reduce((sum, value, i) => sum + Math.abs(value - b![i]!), 0) / a!.length
}

for (const format of imageFormats) {
  test(`faces on a ${format} are found and drawn`, async () => {
    const squares: DrawnPhoto['squares'] = [
      [100, 120, 60],
      [500, 300, 90],
    ]
    const bytes = await drawnPhoto({ width: 800, height: 600, squares, format })
    const { answer, parts } = await runFaces(bytes, facesPipeline('tiny-squares', { annotate: 'preview' }))
    assertSquares(answer, squares, 2)
    assert.deepEqual(answer.parts, [{ name: 'annotated', bytes: parts[0]!.length, mediaType: mediaTypes[format] }])
    assert.ok((await difference(bytes, parts[0]!)) > 0.1)
  })
}

for (const [width, height, squares] of [
  [120, 90, [[20, 30, 30]]],
  [640, 640, [[300, 300, 100]]],
  [3000, 1000, [[400, 300, 200]]],
  [900, 2700, [[500, 2200, 180]]],
] as [number, number, DrawnPhoto['squares']][]) {
  test(`boxes are in pixels of the original of ${width}x${height}, whatever comes back`, async () => {
    const bytes = await drawnPhoto({ width, height, squares })
    const answers = []
    for (const annotate of ['none', 'preview', 'full'] as const) {
      const { answer, parts } = await runFaces(bytes, facesPipeline('tiny-squares', { annotate }))
      assert.deepEqual([answer.width, answer.height], [width, height])
      assertSquares(answer, squares, Math.max(width, height) / 250)
      answers.push(answer.faces)
      if (annotate === 'none') {
        assert.deepEqual(parts, [])
        continue
      }
      const { width: outWidth, height: outHeight } = await sharp(parts[0]!).metadata()
      const scale = annotate === 'preview' ? Math.min(1, 2048 / Math.max(width, height)) : 1
      assert.deepEqual([outWidth, outHeight], [Math.round(width * scale), Math.round(height * scale)])
    }
    assert.deepEqual(answers[1], answers[0])
    assert.deepEqual(answers[2], answers[0])
  })
}

test('the eight orientations of a photo give the same faces and upright pictures', { skip }, async () => {
  const photo = readFileSync(shared('photos', 'ultraface-groups', '15.jpg'))
  const pipeline = facesPipeline('yunet-s-dynamic', { annotate: 'full', embedder: 'mobilefacenet-112' })
  const straight = await runFaces(await storedAs(photo, 1), pipeline)
  assert.equal(straight.answer.faces.length, 16)
  for (let orientation = 2; orientation <= 8; orientation++) {
    const stored = await storedAs(photo, orientation)
    const { answer, parts } = await runFaces(stored, pipeline)
    const preview = await runFaces(stored, { ...pipeline, annotate: 'preview' })
    assert.deepEqual(preview.answer.faces, answer.faces)
    assert.equal(answer.faces.length, straight.answer.faces.length)
    assert.deepEqual([answer.width, answer.height], [straight.answer.width, straight.answer.height])
    for (const { box, keypoints } of straight.answer.faces) {
      const same = answer.faces.find((face) => overlap(face.box, box) > 0.9)
      assert.ok(same, `orientation ${orientation} misses ${box}`)
      for (const [i, [x, y]] of keypoints!.entries()) {
        assert.ok(Math.hypot(same.keypoints![i]![0] - x, same.keypoints![i]![1] - y) < 1)
      }
    }
    assert.equal((await sharp(parts[0]!).metadata()).orientation, 1)
    assert.ok((await difference(parts[0]!, straight.parts[0]!)) < 5)
  }
})

for (const [motif, width, height] of [
  ['landscape', 600, 450],
  ['portrait', 450, 600],
] as const) {
  test(`the eight orientations of a ${motif} become the same upright picture`, { skip }, async () => {
    const samples = ['exif-samples', 'orientation']
    const pipeline = facesPipeline('yunet-2023mar', { annotate: 'full' })
    let first: Uint8Array | undefined
    for (let orientation = 1; orientation <= 8; orientation++) {
      const bytes = readFileSync(shared('badimages', ...samples, `${motif}_${orientation}.jpg`))
      const { answer, parts } = await runFaces(bytes, pipeline)
      assert.deepEqual([answer.width, answer.height, answer.faces], [width, height, []])
      first ??= parts[0]!
      const metadata = await sharp(parts[0]!).metadata()
      assert.deepEqual([metadata.orientation, metadata.width, metadata.height], [1, width, height])
      // Another number is written on each of them.
      assert.ok((await difference(parts[0]!, first)) < 20)
    }
  })
}

test('on photos the annotated copy differs where faces are, and only there', { skip }, async () => {
  const photo = readFileSync(shared('photos', 'azure-faces', 'identification1.jpg'))
  const { answer, parts } = await runFaces(photo, facesPipeline('yunet-2023mar', { annotate: 'full' }))
  const before = await sharp(photo).raw().toBuffer()
  const after = await sharp(parts[0]!).raw().toBuffer()
  assert.equal(before.length, after.length)
  const change = (x: number, y: number) => {
    const at = (Math.round(y) * answer.width + Math.round(x)) * 3
    return Math.max(...[0, 1, 2].map((channel) => Math.abs(before[at + channel]! - after[at + channel]!)))
  }
  for (const { box } of answer.faces) assert.ok(change(box[0], box[1] + box[3] / 2) > 50)
  assert.ok(change(2, answer.height - 3) < 30)
})
