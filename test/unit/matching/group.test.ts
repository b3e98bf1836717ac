import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupFaces } from '../../../src/matching/group.ts'
import { embeddingNear, joined, randomEmbedding, seededRandom } from '../../helpers/embeddings.ts'

const options = { threshold: 0.5 }

test('faces are grouped by person, the largest group first, and loners are left out', () => {
  const { vectors, people } = crowd(1, [1, 5, 2, 40, 1, 5])
  const { labels: groups } = groupFaces(vectors, options)
  assert.deepEqual(
    people.map((person) => [-1, 1, 3, 0, -1, 2][person]),
    [...groups],
  )
})

test('the same faces in another order are the same groups', () => {
  const { vectors } = crowd(2, [30, 20, 10, 1, 3])
  const faces = vectors.length / 128
  const order = Array.from({ length: faces }, (_, face) => (face * 17) % faces)
  const { labels: groups } = groupFaces(vectors, options)
  const shuffled = joined(order.map((face) => vectors.subarray(face * 128, (face + 1) * 128)))
  const { labels: others } = groupFaces(shuffled, options)
  assert.deepEqual(
    [...others],
    order.map((face) => groups[face]),
  )
})

test('a person of many more photos than a face has neighbours is one group', () => {
  const { vectors } = crowd(3, [1500])
  assert.deepEqual(new Set(groupFaces(vectors, options).labels), new Set([0]))
})

test('groups below the smallest size are none', () => {
  const { vectors } = crowd(4, [3, 2])
  assert.deepEqual([...groupFaces(vectors, { ...options, smallest: 3 }).labels], [0, 0, 0, -1, -1])
})

test('two people whom one photo links stay two', () => {
  const random = seededRandom(5)
  const anna = randomEmbedding(random)
  const ben = embeddingNear(anna, 0.1, random)
  const between = unitSum(anna, ben)
  const photos = (of: Float32Array) => Array.from({ length: 8 }, () => embeddingNear(of, 0.85, random))
  const groups = [...groupFaces(joined([...photos(anna), between, ...photos(ben)]), options).labels]
  assert.equal(new Set(groups.slice(0, 8)).size, 1)
  assert.equal(new Set(groups.slice(9)).size, 1)
  assert.notEqual(groups[0], groups[16])
})

test('progress grows to 1', () => {
  const shares: number[] = []
  groupFaces(crowd(6, [200]).vectors, options, { progress: (done) => shares.push(done) })
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  )
  assert.equal(shares.at(-1), 1)
})

test('nobody is no group, and half an embedding is refused', () => {
  assert.deepEqual(groupFaces(new Float32Array(), options).labels, new Int32Array())
  assert.throws(() => groupFaces(new Float32Array(130), options), RangeError)
})

/** Persons of so many photos each, one after another, and whose each photo is. */
function crowd(seed: number, sizes: number[]): { vectors: Float32Array; people: number[] } {
  const random = seededRandom(seed)
  const people = sizes.flatMap((size, person) => new Array<number>(size).fill(person))
  const centres = sizes.map(() => randomEmbedding(random))
  return { vectors: joined(people.map((person) => embeddingNear(centres[person]!, 0.8, random))), people }
}

function unitSum(a: Float32Array, b: Float32Array): Float32Array {
  const sum = a.map((value, i) => value + b[i]!)
  const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0))
  return sum.map((value) => value / length)
}
