import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Matcher } from '../../../src/matching/match.ts'
import { embeddingNear, joined, randomEmbedding, seededRandom, towards } from '../../helpers/embeddings.ts'

const model = 'e0'.repeat(32)
const options = { threshold: 0.4, margin: 0.05 }
/** Enrolled with one photo each, which are like nothing of each other: `towards` gives the similarities to them. */
const [anna, ben, cleo] = [towards(1), towards(0, 1), towards(0, 0, 1)]
const family = matcherOf({ Anna: [anna], Ben: [ben], Cleo: [cleo] })

test('a face is called by the most similar person, a stranger is not', () => {
  assert.deepEqual(family.match([towards(0.1, 0.71234, 0.2), towards(0.1, 0.2, 0.39)], options), [
    { person: 'Ben', similarity: 0.7123 },
    { person: null, similarity: null },
  ])
  assert.deepEqual(family.match([], options), [])
})

test('a similarity that is shown as the threshold reaches it', () => {
  assert.deepEqual(family.match([towards(0.39996)], options), [{ person: 'Anna', similarity: 0.4 }])
  assert.deepEqual(family.match([towards(0.39994)], options), [{ person: null, similarity: null }])
})

test('two people who are nearly as similar are a close call', () => {
  assert.deepEqual(family.match([towards(0.6, 0.5502, 0.4)], options), [
    {
      person: null,
      similarity: null,
      candidates: [
        { person: 'Anna', similarity: 0.6 },
        { person: 'Ben', similarity: 0.5502 },
      ],
    },
  ])
  assert.deepEqual(family.match([towards(0.6, 0.55)], options), [{ person: 'Anna', similarity: 0.6 }])
})

test('the second counts even where it does not reach the threshold itself', () => {
  const [match] = family.match([towards(0.41, 0.38)], options)
  assert.deepEqual(
    match!.candidates?.map(({ person }) => person),
    ['Anna', 'Ben'],
  )
})

test('no name is given twice in a photo: the face that is less like it goes without', () => {
  assert.deepEqual(family.match([towards(0.6), towards(0.8)], options), [
    { person: null, similarity: null },
    { person: 'Anna', similarity: 0.8 },
  ])
})

test('a face that is most like somebody who is there already gets its second name', () => {
  assert.deepEqual(family.match([towards(0.7, 0.6), towards(0.8, 0.1)], options), [
    { person: 'Ben', similarity: 0.6 },
    { person: 'Anna', similarity: 0.8 },
  ])
})

test('one sure name outweighs two that are barely possible', () => {
  assert.deepEqual(family.match([towards(0.7, 0.42), towards(0.42)], options), [
    { person: 'Anna', similarity: 0.7 },
    { person: null, similarity: null },
  ])
})

test('twins on one photo are told apart when one way round is clearly better', () => {
  assert.deepEqual(family.match([towards(0.7, 0.68), towards(0.6, 0.72)], options), [
    { person: 'Anna', similarity: 0.7 },
    { person: 'Ben', similarity: 0.72 },
  ])
})

test('twins that could as well be swapped are close calls, both', () => {
  const matches = family.match([towards(0.7, 0.69), towards(0.69, 0.7)], options)
  assert.deepEqual(
    matches.map(({ person, candidates }) => [person, candidates?.map((candidate) => candidate.person)]),
    [
      [null, ['Anna', 'Ben']],
      [null, ['Ben', 'Anna']],
    ],
  )
})

test('two faces that could as well be the same person are close calls, both', () => {
  assert.deepEqual(family.match([towards(0.6), towards(0.59)], options), [
    { person: null, similarity: null, candidates: [{ person: 'Anna', similarity: 0.6 }] },
    { person: null, similarity: null, candidates: [{ person: 'Anna', similarity: 0.59 }] },
  ])
})

test('without a margin equals go by the order of people and of faces', () => {
  const equal = [towards(0.6, 0.6), towards(0.6, 0.6), towards(0.6, 0.6)]
  assert.deepEqual(
    family.match(equal, { threshold: 0.4, margin: 0 }).map(({ person }) => person),
    ['Anna', 'Ben', null],
  )
})

test('of several photos the most similar one and the mean of all count by halves', () => {
  const matcher = matcherOf({ Anna: [anna, ben] })
  const best = 0.8
  const mean = (0.8 + 0.2) / Math.SQRT2
  assert.equal(matcher.match([towards(0.8, 0.2)], options)[0]!.similarity, Math.round(((best + mean) / 2) * 1e4) / 1e4)
})

test('the joint names are those with the highest sum, as trying all shows', () => {
  const random = seededRandom(5)
  for (let round = 0; round < 200; round++) {
    const people = Array.from({ length: 4 }, (_, i) => towardsAxis(i))
    const matcher = matcherOf(Object.fromEntries(people.map((vector, i) => [`p${i}`, [vector]])))
    const scores = Array.from({ length: 3 }, () => people.map(() => Math.round(random() * 4900) / 10000))
    const threshold = 0.2
    const matches = matcher.match(
      scores.map((list) => towards(...list)),
      { threshold, margin: 0 },
    )
    const sum = matches.reduce((total, { similarity }) => total + (similarity === null ? 0 : similarity - threshold), 0)
    assert.equal(sum.toFixed(6), bestSum(scores, threshold).toFixed(6))
    const names = matches.flatMap(({ person }) => person ?? [])
    assert.equal(new Set(names).size, names.length)
  }
})

test('people are found among thousands, whatever else is in the photo', () => {
  const random = seededRandom(6)
  const vectors = Array.from({ length: 3000 }, () => randomEmbedding(random))
  const matcher = matcherOf(Object.fromEntries(vectors.map((vector, i) => [`p${i}`, [vector]])))
  const faces = [5, 1234, 2999].map((i) => embeddingNear(vectors[i]!, 0.7, random))
  assert.deepEqual(
    matcher.match(faces, options).map(({ person }) => person),
    ['p5', 'p1234', 'p2999'],
  )
})

function matcherOf(people: Record<string, Float32Array[]>): Matcher {
  return new Matcher({
    model,
    people: Object.entries(people).map(([name, vectors]) => ({ name, count: vectors.length })),
    vectors: joined(Object.values(people).flat()),
  })
}

function towardsAxis(i: number): Float32Array {
  return towards(...Array.from({ length: i }, () => 0), 1)
}

/** The highest sum of what names exceed the threshold by, over all ways to give them. */
function bestSum([first, ...others]: number[][], threshold: number, taken: number[] = []): number {
  if (!first) return 0
  const named = first.map((score, person) =>
    score < threshold || taken.includes(person)
      ? 0
      : score - threshold + bestSum(others, threshold, [...taken, person]),
  )
  return Math.max(bestSum(others, threshold, taken), ...named)
}
