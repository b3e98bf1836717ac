import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ModelLoader } from '../../../../src/agent/model-loader.ts'
import { decodeImage, viewOf } from '../../../../src/agent/vision/decode.ts'
import { flatten } from '../../../../src/agent/vision/raster.ts'
import { Scratch } from '../../../../src/agent/vision/scratch.ts'
import { model, modelsFolder } from '../../../helpers/faces.ts'
import { classifyPipeline, labelsOf, patchedPhoto, runLabelled } from '../../../helpers/labelled.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'

for (const [photo, label] of [
  ['cat.jpg', /cat|tabby/],
  ['tench.png', /^tench$/],
  ['dog.jpg', /malamute|Siberian husky|Eskimo dog/],
] as const) {
  test(`MobileNetV2 has ${label} among the five likeliest of ${photo}`, { skip: sharedMissing }, async () => {
    const found = await runLabelled(
      readFileSync(shared('photos', 'objects', photo)),
      classifyPipeline('mobilenetv2-int8'),
    )
    const labels = labelsOf(found, model('mobilenetv2-int8'))
    assert.equal(labels.length, 5)
    assert.ok(
      labels.some((each) => label.test(each)),
      labels.join(', '),
    )
  })
}

test('numbers become probabilities, the likeliest first and only as many as are wanted', async () => {
  const red = await patchedPhoto(300, 200, [{ colour: '#ff3300', left: 0, top: 0, size: 200 }])
  const middle = await patchedPhoto(200, 200, [{ colour: '#ff3300', left: 0, top: 0, size: 200 }])
  const { answer } = await runLabelled(middle, classifyPipeline('tiny-colours', { top: 3 }))
  // Means of 255, 51 and 0, divided by 51
  const weights = [5, 1, 0].map(Math.exp)
  const sum = weights.reduce((a, b) => a + b)
  assert.deepEqual(
    answer.classes!.map((found) => found.class),
    [0, 1, 2],
  )
  for (const [i, { score }] of answer.classes!.entries()) {
    assert.ok(Math.abs(score - weights[i]! / sum) < 0.005, `${score} for ${weights[i]! / sum}`)
  }
  const one = await runLabelled(red, classifyPipeline('tiny-colours', { top: 1 }))
  assert.equal(one.answer.classes!.length, 1)
})

test('what lies outside of the middle square does not count', async () => {
  const manifest = model('tiny-colours')
  const photo = await patchedPhoto(400, 200, [
    { colour: 'red', left: 0, top: 0, size: 150 },
    { colour: 'blue', left: 150, top: 50, size: 100 },
  ])
  const raster = flatten(await viewOf(await decodeImage(photo, 1_000_000, new Scratch()), 2048))
  const likeliest = async (crop: number) => {
    const cropped = { ...manifest, preprocess: { ...manifest.preprocess, crop } }
    const classifier = await new ModelLoader(modelsFolder(), 1).classifier(cropped)
    return classifier.classify(raster, 1)
  }
  const [inside] = await likeliest(0.45)
  assert.equal(inside!.class, 2)
  assert.ok(inside!.score > 0.98)
  assert.ok((await likeliest(1))[0]!.score < 0.9)
})
