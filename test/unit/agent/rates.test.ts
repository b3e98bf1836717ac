import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateMeter } from '../../../src/agent/rates.ts'

function meter() {
  let now = 0
  const rate = new RateMeter(() => now)
  const work = (jobs: number, msEach: number, counts = true) => {
    for (let i = 0; i < jobs; i++) {
      rate.started()
      now += msEach
      rate.ended(counts)
    }
  }
  const rest = (ms: number) => {
    now += ms
  }
  return { rate, work, rest }
}

test('a node that never had work has no rate', () => {
  const { rate, rest } = meter()
  rest(10_000)
  assert.equal(rate.imagesPerSecond(), 0)
})

test('idle time does not lower the rate', () => {
  const { rate, work, rest } = meter()
  work(50, 100)
  rest(60_000)
  work(50, 100)
  assert.equal(rate.imagesPerSecond(), 10)
})

test('jobs that run side by side share the time', () => {
  const { rate, rest } = meter()
  rate.started()
  rate.started()
  rest(500)
  rate.ended(true)
  rate.ended(true)
  assert.equal(rate.imagesPerSecond(), 4)
})

test('only the last minute of work counts', () => {
  const { rate, work } = meter()
  work(100, 1000)
  work(1200, 100)
  assert.ok(Math.abs(rate.imagesPerSecond() - 10) < 0.2)
})

test('a job that ended without an outcome takes time but is no image', () => {
  const { rate, work } = meter()
  work(5, 100)
  work(5, 100, false)
  assert.equal(rate.imagesPerSecond(), 5)
})
