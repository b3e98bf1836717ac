import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { facesPipeline, model, runFaces } from '../../../helpers/faces.ts'
import { lfwPairs, verify } from '../../../helpers/lfw.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'

const skip = sharedMissing
const embedder = 'mobilefacenet-112'

async function embeddings(file: string, detector: string): Promise<Float32Array[]> {
  const { answer, parts } = await runFaces(readFileSync(shared('photos', file)), facesPipeline(detector, { embedder }))
  assert.deepEqual(answer.parts, [{ name: 'embeddings', bytes: parts[0]!.length, shape: [answer.faces.length, 128] }])
  const all = new Float32Array(parts[0]!.slice().buffer)
  return answer.faces.map((_, i) => all.subarray(i * 128, (i + 1) * 128))
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

test('every face gets an embedding of length 1', { skip }, async () => {
  const vectors = await embeddings('ultraface-groups/15.jpg', 'yunet-2023mar')
  assert.equal(vectors.length, 16)
  for (const vector of vectors) assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-5)
})

test('a picture without faces has no embeddings', { skip }, async () => {
  const { answer, parts } = await runFaces(
    readFileSync(shared('photos', 'objects', 'bus.jpg')),
    facesPipeline('yunet-2023mar', { embedder, scoreThreshold: 1 }),
  )
  assert.deepEqual(answer.parts, [{ name: 'embeddings', bytes: 0, shape: [0, 128] }])
  assert.deepEqual([parts.length, parts[0]!.length], [1, 0])
})

test('a person is known again in other photos and told from others, with keypoints and without', { skip }, async () => {
  for (const detector of ['yunet-2023mar', 'ultraface-320']) {
    const [dad1] = await embeddings('azure-faces/Family1-Dad1.jpg', detector)
    const [dad2] = await embeddings('azure-faces/Family1-Dad2.jpg', detector)
    const [lady] = await embeddings('azure-faces/Family2-Lady1.jpg', detector)
    assert.ok(dot(dad1!, dad2!) > 0.4, `${detector}: the same person ${dot(dad1!, dad2!)}`)
    assert.ok(dot(dad1!, lady!) < 0.2, `${detector}: another person ${dot(dad1!, lady!)}`)
  }
})

test('MobileFaceNet verifies pairs of LFW at its threshold', { skip }, async () => {
  const pairs = lfwPairs().filter((_, i) => i % 16 === 0)
  const { accuracy, samePersonMean, differentPersonMean } = await verify(
    pairs,
    embedder,
    model(embedder).thresholds.verification!,
  )
  assert.equal(pairs.length, 75)
  assert.ok(accuracy >= 0.97, `accuracy ${accuracy}`)
  assert.ok(samePersonMean > 0.58 && differentPersonMean < 0.06, `means ${samePersonMean}, ${differentPersonMean}`)
})
