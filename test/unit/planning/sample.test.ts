import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../../../src/common/random.ts'
import { type Candidate, Reservoir, stratifiedSample } from '../../../src/planning/sample.ts'

const candidates = (count: number, format: string, bytes: (index: number) => number): Candidate[] =>
  Array.from({ length: count }, (_, index) => ({ source: `/${format}/${index}`, format, bytes: bytes(index) }))

test('a sample has each format and each size as often as they are there', () => {
  const all = [...candidates(900, 'jpg', (i) => 1000 + i), ...candidates(100, 'heic', () => 10)]
  for (let seed = 0; seed < 20; seed++) {
    const sample = stratifiedSample(all, 50, randomOf(seed))
    assert.equal(new Set(sample.map(({ source }) => source)).size, 50)
    assert.equal(sample.filter(({ format }) => format === 'heic').length, 5)
    const small = sample.filter(({ format, bytes }) => format === 'jpg' && bytes < 1450).length
    assert.ok(small === 22 || small === 23, `${small} of 45 are of the smaller half`)
  }
})

test('of fewer candidates than are wanted all are taken', () => {
  const all = candidates(3, 'jpg', (i) => i)
  const sources = stratifiedSample(all, 64, randomOf(1)).map(({ source }) => source)
  assert.deepEqual(sources.toSorted(), ['/jpg/0', '/jpg/1', '/jpg/2'])
})

test('the same seed gives the same sample, another one another', () => {
  const all = candidates(1000, 'jpg', (i) => i)
  assert.deepEqual(stratifiedSample(all, 20, randomOf(5)), stratifiedSample(all, 20, randomOf(5)))
  assert.notDeepEqual(stratifiedSample(all, 20, randomOf(5)), stratifiedSample(all, 20, randomOf(6)))
})

test('a stream of any length leaves so many items, early ones as likely as late ones', () => {
  const random = randomOf(3)
  let early = 0
  for (let round = 0; round < 200; round++) {
    const reservoir = new Reservoir<number>(20, random)
    for (let item = 0; item < 400; item++) reservoir.add(item)
    assert.equal(reservoir.items.length, 20)
    early += reservoir.items.filter((item) => item < 200).length
  }
  // 2000 are expected; the standard deviation is 31.
  assert.ok(Math.abs(early - 2000) < 150, `${early}`)
})
