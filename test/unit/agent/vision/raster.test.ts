import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flatten, shrinkByMean } from '../../../../src/agent/vision/raster.ts'

test('transparent parts are shown over white', () => {
  const data = Uint8Array.of(10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 128)
  const flat = flatten({ data, width: 3, height: 1, channels: 4 })
  assert.deepEqual([...flat.data], [10, 20, 30, 255, 255, 255, 127, 177, 227])
})

test('an opaque raster is not copied', () => {
  const raster = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 } as const
  assert.equal(flatten(raster), raster)
})

test('shrinking takes the mean of each block', () => {
  const data = new Uint8Array(5 * 4 * 3)
  for (let i = 0; i < 20; i++) data.set([i, 100, 200 - i], i * 3)
  const small = shrinkByMean({ data, width: 5, height: 4, channels: 3 }, 2)
  assert.deepEqual([small.width, small.height], [2, 2])
  assert.deepEqual([...small.data], [3, 100, 197, 5, 100, 195, 13, 100, 187, 15, 100, 185])
})

test('a raster thinner than the factor keeps a pixel', () => {
  const small = shrinkByMean({ data: new Uint8Array(12 * 3).fill(9), width: 12, height: 1, channels: 3 }, 4)
  assert.deepEqual([small.width, small.height, small.data[0]], [3, 1, 9])
})
