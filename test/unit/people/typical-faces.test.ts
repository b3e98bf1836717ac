import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typicalFaces } from '../../../src/people/typical-faces.ts'
import { embeddingNear, randomEmbedding, seededRandom } from '../../helpers/embeddings.ts'

test('near copies of one photo count once, and the first face is the most typical one', () => {
  const random = seededRandom(1)
  const middle = randomEmbedding(random)
  const typical = { name: 'typical', embedding: embeddingNear(middle, 0.98, random) }
  const others = Array.from({ length: 6 }, (_, i) => ({
    name: `other ${i}`,
    embedding: embeddingNear(middle, 0.75, random),
  }))
  const profile = embeddingNear(middle, 0.6, random)
  const copies = Array.from({ length: 3 }, () => ({ name: 'copy', embedding: embeddingNear(profile, 0.999, random) }))
  const chosen = typicalFaces([...copies, ...others, typical], 8).map(({ name }) => name)
  assert.equal(chosen[0], 'typical')
  assert.equal(chosen.filter((name) => name === 'copy').length, 1)
})

test('of many faces those nearest to the middle are looked at; of few all come', () => {
  const random = seededRandom(2)
  const middle = randomEmbedding(random)
  const near = Array.from({ length: 400 }, () => ({ far: false, embedding: embeddingNear(middle, 0.8, random) }))
  const far = Array.from({ length: 50 }, () => ({ far: true, embedding: embeddingNear(middle, 0.2, random) }))
  assert.ok(typicalFaces([...far, ...near], 20).every(({ far }) => !far))
  assert.equal(typicalFaces(near.slice(0, 5), 20).length, 5)
  assert.deepEqual(typicalFaces([], 20), [])
})
