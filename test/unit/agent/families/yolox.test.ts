import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { model } from '../../../helpers/faces.ts'
import { labelsOf, objectsPipeline, patchedPhoto, runLabelled } from '../../../helpers/labelled.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'

const skip = sharedMissing
const tiny = objectsPipeline('tiny-objects')

for (const [photo, things] of [
  ['bus.jpg', ['bus', 'person', 'person', 'person']],
  ['dog.jpg', ['bicycle', 'car', 'dog']],
  ['person.jpg', ['dog', 'horse', 'person']],
] as const) {
  test(`YOLOX-nano finds ${things.join(', ')} on ${photo}`, { skip }, async () => {
    const pipeline = objectsPipeline('yolox-nano-416', { scoreThreshold: 0.5 })
    const found = await runLabelled(readFileSync(shared('photos', 'objects', photo)), pipeline)
    assert.deepEqual(labelsOf(found, model('yolox-nano-416')).sort(), things)
  })
}

test('every grid and offset is decoded to pixels of the picture, whatever its scale', async () => {
  for (const scale of [1, 2, 4]) {
    const at = (colour: string, left: number, top: number) => {
      return { colour, left: left * scale, top: top * scale, size: 32 * scale }
    }
    const photo = await patchedPhoto(128 * scale, 96 * scale, [at('red', 32, 0), at('blue', 96, 64)])
    const { answer } = await runLabelled(photo, tiny)
    const boxes = answer.objects!.map(({ class: index, box }) => [index, ...box.map((value) => value / scale)])
    const expected = [
      [0, 32, 0, 32, 32],
      [1, 96, 64, 32, 32],
    ]
    assert.deepEqual(boxes.sort(), expected, `scale ${scale}`)
    for (const { score } of answer.objects!) assert.ok(Math.abs(score - 0.9) < 0.01, `score ${score}`)
  }
})

test('what overlaps a better one of its class goes, and one of another class stays', async () => {
  const photo = await patchedPhoto(128, 128, [
    { colour: 'red', left: 64, top: 32, size: 32 },
    { colour: 'blue', left: 64, top: 32, size: 16 },
  ])
  const { answer } = await runLabelled(photo, tiny)
  const told = answer.objects!.map(({ class: index, box }) => [index, ...box])
  assert.deepEqual(told.sort(), [
    [0, 64, 32, 32, 32],
    [1, 64, 32, 32, 32],
  ])
})

test('nothing below the threshold is told', async () => {
  const photo = await patchedPhoto(128, 128, [{ colour: 'red', left: 0, top: 0, size: 32 }])
  const { answer } = await runLabelled(photo, objectsPipeline('tiny-objects', { scoreThreshold: 0.95 }))
  assert.deepEqual(answer.objects, [])
})
