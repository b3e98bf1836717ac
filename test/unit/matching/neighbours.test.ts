import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dotProduct } from '../../../src/matching/dot-products.ts'
import { type EarlierNeighbours, findNeighbours } from '../../../src/matching/neighbours.ts'
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

test('a search that goes on from an earlier one finds what a new one finds', () => {
  const random = seededRandom(3)
  const centres = [randomEmbedding(random), randomEmbedding(random), randomEmbedding(random)]
  const all = Array.from({ length: 240 }, (_, i) => embeddingNear(centres[i % 3]!, 0.3 + (i % 40) / 60, random))
  // Some twice: equals have to come out in the order of their numbers, too.
  for (let i = 0; i < 30; i++) all[i * 7 + 1] = all[i * 7]!
  const options = { threshold: 0.3, most: 7 }
  let present = all.keys().toArray()
  let earlier: EarlierNeighbours['neighbours'] | undefined
  let before: number[] = []
  for (let round = 0; round < 12; round++) {
    const faces = joined(present.map((i) => all[i]!))
    const numbers = Int32Array.from(before, (i) => present.indexOf(i))
    const found = findNeighbours(faces, { ...options, earlier: earlier && { neighbours: earlier, numbers } })
    assert.deepEqual(listsOf(found), listsOf(findNeighbours(faces, options)), `round ${round}`)
    earlier = found
    before = present
    // Nobody, a few, many are another.
    const share = [0, 0.02, 0.4][round % 3]!
    present = all
      .keys()
      .toArray()
      .filter((i) => (random() < share ? !before.includes(i) : before.includes(i)))
  }
})

const listsOf = ({ counts, others, similarities, most }: EarlierNeighbours['neighbours']) =>
  [...counts].map((count, face) =>
    Array.from({ length: count }, (_, i) => [others[face * most + i], similarities[face * most + i]]),
  )
