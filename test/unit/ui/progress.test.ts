import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter } from '../../../src/ui/progress.ts'

test('the line tells count, rate, failures and remaining time', () => {
  let now = 0
  const meter = new Meter('images', 1000, () => now)
  assert.equal(meter.line(), '0 of 1,000 images')
  now = 2000
  meter.update(100, { failed: 3 })
  assert.equal(meter.line(), '100 of 1,000 images · 50 images/s · 3 failed · 18 s left')
})

test('the rate is that of the last seconds', () => {
  let now = 0
  const meter = new Meter('images', undefined, () => now)
  for (let second = 1; second <= 60; second++) {
    now = second * 1000
    meter.update(second <= 30 ? second * 100 : 3000 + (second - 30) * 10)
  }
  assert.equal(Math.round(meter.rate()), 10)
  assert.equal(meter.line(), '3,300 images · 10 images/s')
})

test('without progress the rate falls', () => {
  let now = 0
  const meter = new Meter('images', 100, () => now)
  now = 1000
  meter.update(50)
  now = 5000
  assert.equal(meter.rate(), 10)
})

test('a total that becomes known later counts from then on', () => {
  const meter = new Meter('images', undefined, () => 0)
  meter.update(1)
  assert.equal(meter.line(), '1 images')
  meter.update(1, { total: 2, text: 'node1 \u001b[1m' })
  assert.equal(meter.line(), '1 of 2 images · node1 \\x1b[1m')
})
