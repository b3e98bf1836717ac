import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import sharp from 'sharp'
import { overlap } from '../../../../src/agent/vision/detection.ts'
import { originalOf } from '../../../../src/fleet/verify-result.ts'
import { classifyPipeline, objectsPipeline, patchedPhoto, runLabelled } from '../../../helpers/labelled.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'

const squares = [
  { colour: 'red', left: 128, top: 0, size: 128 },
  { colour: 'blue', left: 384, top: 256, size: 128 },
]

/** The same picture with its pixels turned the other way and the tag that sets them right. */
async function storedAs(photo: Buffer, orientation: number): Promise<Buffer> {
  const back = orientation === 6 ? 8 : orientation === 8 ? 6 : orientation
  const turned = await sharp(photo).withMetadata({ orientation: back }).png().toBuffer()
  const pixels = await sharp(turned).autoOrient().png().toBuffer()
  return sharp(pixels).withMetadata({ orientation }).jpeg({ quality: 98, chromaSubsampling: '4:4:4' }).toBuffer()
}

test('the eight orientations of a picture have the same upright boxes', async () => {
  const photo = await patchedPhoto(512, 384, squares)
  for (let orientation = 1; orientation <= 8; orientation++) {
    const { answer } = await runLabelled(await storedAs(photo, orientation), objectsPipeline('tiny-objects'))
    assert.deepEqual([answer.width, answer.height], [512, 384])
    const told = answer.objects!.map(({ class: index, box }) => [index, ...box]).sort()
    const expected = squares.map(({ left, top, size }, index) => [index, left, top, size, size])
    assert.deepEqual(told, expected, `orientation ${orientation}`)
  }
})

test('the eight orientations of a photograph have the same upright boxes', { skip: sharedMissing }, async () => {
  const photo = readFileSync(shared('photos', 'objects', 'dog.jpg'))
  const pipeline = objectsPipeline('yolox-nano-416', { scoreThreshold: 0.5 })
  const straight = await runLabelled(await storedAs(photo, 1), pipeline)
  for (let orientation = 2; orientation <= 8; orientation++) {
    const { answer } = await runLabelled(await storedAs(photo, orientation), pipeline)
    assert.equal(answer.objects!.length, straight.answer.objects!.length)
    for (const { class: index, box } of straight.answer.objects!) {
      const same = answer.objects!.find((other) => other.class === index && overlap(other.box, box) > 0.95)
      assert.ok(same, `orientation ${orientation} misses ${box}`)
    }
  }
})

test('boxes are the same whatever picture comes back, and each picture has the size that was asked for', async () => {
  const photo = await patchedPhoto(4096, 3072, [{ colour: 'blue', left: 1024, top: 1024, size: 1024 }])
  for (const [annotate, width] of [
    ['none', undefined],
    ['preview', 2048],
    ['full', 4096],
  ] as const) {
    const { answer, parts } = await runLabelled(photo, objectsPipeline('tiny-objects', { annotate }))
    assert.deepEqual(
      answer.objects!.map(({ box }) => box),
      [[1024, 1024, 1024, 1024]],
    )
    assert.equal(parts[0] && originalOf(Buffer.from(parts[0])).size?.width, width)
  }
})

/** How far pixels of a region are from another picture's at most, 0..255. */
async function change(before: Uint8Array, after: Uint8Array, left: number, top: number, width: number, height: number) {
  const region = { left, top, width, height }
  const [a, b] = await Promise.all([before, after].map((bytes) => sharp(bytes).extract(region).raw().toBuffer()))
  return a!.reduce((most, value, i) => Math.max(most, Math.abs(value - b![i]!)), 0)
}

test('an object is drawn with its box and label, and what is around stays', async () => {
  const photo = await patchedPhoto(512, 384, [{ colour: 'red', left: 128, top: 128, size: 128 }])
  const { parts } = await runLabelled(photo, objectsPipeline('tiny-objects', { annotate: 'full' }))
  assert.ok((await change(photo, parts[0]!, 126, 150, 4, 60)) > 100, 'the box')
  assert.ok((await change(photo, parts[0]!, 130, 112, 60, 12)) > 100, 'the label')
  assert.ok((await change(photo, parts[0]!, 300, 0, 200, 384)) < 20, 'the rest')
})

test('where a thing is taken for two, the likelier label is to be read', async () => {
  const photo = await patchedPhoto(512, 512, [
    { colour: 'red', left: 128, top: 128, size: 128 },
    { colour: '#1a1aff', left: 128, top: 128, size: 64 },
  ])
  const both = await runLabelled(photo, objectsPipeline('tiny-objects', { annotate: 'full' }))
  const likelier = await runLabelled(photo, objectsPipeline('tiny-objects', { annotate: 'full', scoreThreshold: 0.7 }))
  assert.deepEqual(
    [both, likelier].map(({ answer }) => answer.objects!.length),
    [2, 1],
  )
  assert.ok((await change(photo, both.parts[0]!, 130, 112, 60, 12)) > 100)
  assert.ok((await change(likelier.parts[0]!, both.parts[0]!, 130, 112, 60, 12)) < 20)
})

test('the likeliest label is written into the corner, and nothing else', async () => {
  const photo = await patchedPhoto(512, 384, [])
  const { parts } = await runLabelled(photo, classifyPipeline('tiny-colours', { top: 1, annotate: 'full' }))
  assert.ok((await change(photo, parts[0]!, 0, 0, 40, 15)) > 100)
  assert.ok((await change(photo, parts[0]!, 200, 0, 312, 384)) < 20)
  assert.ok((await change(photo, parts[0]!, 0, 100, 512, 284)) < 20)
})

test('a small picture comes back when it is asked for', async () => {
  const photo = await patchedPhoto(512, 384, squares)
  const { answer, parts } = await runLabelled(photo, objectsPipeline('tiny-objects', { thumbnails: true }))
  assert.deepEqual(
    answer.parts.map(({ name }) => name),
    ['thumbnail'],
  )
  assert.deepEqual(originalOf(Buffer.from(parts[0]!)).size, { width: 240, height: 180 })
})
