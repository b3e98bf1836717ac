import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dotProduct } from '../../../src/matching/dot-products.ts'
import { findNeighbours } from '../../../src/matching/neighbours.ts'
import { embeddingNear, joined, randomEmbedding, seededRandom } from '../../helpers/embeddings.ts'

test('neighbours are those that comparing everything with everything finds, best first', () => {
  const random = seededRandom(1)
  const centre = randomEmbedding(random)
  const faces = Array.from({ length: 150 }, (_, i) => embeddingNear(centre, 0.05 + (i % 50) / 60, random))
  const [threshold, most] = [0.3, 7]
  const { counts, others, similarities } = findNeighbours(joined(faces), { threshold, most })
  let full = 0
  for (const [face, vector] of faces.entries()) {
    const expected = faces
      .map((other, number) => ({ number, similarity: dotProduct(vector, other) }))
      .filter(({ number, similarity }) => number !== face && similarity >= threshold)
      .sort((a, b) => b.similarity - a.similarity || a.number - b.number)
      .slice(0, most)
    const places = Array.from({ length: counts[face]! }, (_, i) => face * most + i)
    assert.deepEqual(
      places.map((at) => ({ number: others[at], similarity: similarities[at] })),
      expected,
    )
    if (expected.length === most) full++
  }
  assert.ok(full > 0 && full < faces.length, `${full} faces have all the neighbours that are kept`)
})

test('of equals the first are kept', () => {
  const face = randomEmbedding(seededRandom(2))
  const { others } = findNeighbours(joined(new Array<Float32Array>(5).fill(face)), { threshold: 0.5, most: 2 })
  assert.deepEqual([...others], [1, 2, 0, 2, 0, 1, 0, 1, 0, 1])
})
