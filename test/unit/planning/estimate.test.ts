import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../../../src/common/random.ts'
import { type Estimate, estimate } from '../../../src/planning/estimate.ts'
import type { Observation } from '../../../src/planning/measures.ts'
import { type ModelNode, trialOf } from './fleet-model.ts'

const each = { upBytes: 200_000, downBytes: 100_000, copyBytes: 90_000 }
const nodes: ModelNode[] = [
  { name: 'node1', workers: 2, workMs: 100, link: 1e8 },
  { name: 'node2', workers: 1, workMs: 200, link: 1e8 },
]
const work = { images: 1000, bytes: 1000 * each.upBytes, listed: 1000, annotates: true }

/** The trial of the nodes with images that vary by up to ± `spread` in cost and size of copy. */
function varied(spread: number, seed: number): Estimate {
  const random = randomOf(seed)
  const measures = trialOf(nodes, each)
  const factor = new Map(Array.from({ length: 40 }, (_, i) => [`${i}`, 1 + spread * (2 * random() - 1)]))
  const vary = (one: Observation): Observation => {
    const by = factor.get(one.image)!
    const timings = Object.fromEntries(Object.entries(one.timings!).map(([step, ms]) => [step, ms * by]))
    return { ...one, timings, copyBytes: one.copyBytes * by, downBytes: one.downBytes * by }
  }
  for (const phase of [measures.together, ...measures.nodes.map(({ alone }) => alone)])
    for (const [name, observations] of phase.observations) phase.observations.set(name, observations.map(vary))
  return estimate(work, measures, randomOf(seed))
}

test('what each node does is added up, and each gets its share of images and bytes', () => {
  const {
    seconds,
    imagesPerSecond,
    nodes: planned,
    upBytes,
    copyBytes,
  } = estimate(work, trialOf(nodes, each), randomOf(1))
  assert.ok(Math.abs(imagesPerSecond - 25) < 0.5, `${imagesPerSecond}`)
  assert.ok(Math.abs(seconds.expected - 40) < 1, `${seconds.expected}`)
  const shares = planned.map(({ share }) => Math.round(100 * share))
  assert.deepEqual(shares, [80, 20])
  assert.equal(upBytes.expected, 200_000_000)
  assert.equal(copyBytes.expected, 90_000_000)
  assert.equal(Math.round(planned[0]!.upBytes + planned[1]!.upBytes), 200_000_000)
})

test('images that are alike leave no doubt, images that vary leave more the more they do', () => {
  const width = ({ copyBytes }: Estimate) => copyBytes.high - copyBytes.low
  const time = ({ seconds }: Estimate) => seconds.high - seconds.low
  const [same, little, much] = [varied(0, 1), varied(0.1, 1), varied(0.8, 1)]
  assert.ok(width(same) < 1, `${width(same)}`)
  assert.ok(width(same) < width(little) && width(little) < width(much), `${[same, little, much].map(width)}`)
  assert.ok(time(same) < time(little) && time(little) < time(much), `${[same, little, much].map(time)}`)
})

test('the true number of bytes is within the bounds for 19 of 20 samples, about', () => {
  const within = Array.from({ length: 200 }, (_, seed) => varied(0.6, seed + 1).copyBytes).filter(
    ({ low, high }) => low <= 90_000_000 && 90_000_000 <= high,
  )
  assert.ok(within.length >= 176 && within.length <= 200, `${within.length} of 200`)
})

test('a sample that is everything knows the bytes without a doubt', () => {
  const all = { images: 40, bytes: 40 * each.upBytes, listed: 1000, annotates: true }
  const { copyBytes, downBytes } = estimate(all, trialOf(nodes, each), randomOf(1))
  assert.equal(copyBytes.low, copyBytes.high)
  assert.equal(downBytes.low, downBytes.high)
})

test('the same seed gives the same plan', () => {
  assert.deepEqual(varied(0.5, 7), varied(0.5, 7))
})
