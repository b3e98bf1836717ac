import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flatten } from '../../../../src/agent/vision/raster.ts'

test('transparent parts are shown over white', () => {
  const data = Uint8Array.of(10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 128)
  const flat = flatten({ data, width: 3, height: 1, channels: 4 })
  assert.deepEqual([...flat.data], [10, 20, 30, 255, 255, 255, 127, 177, 227])
})

test('an opaque raster is not copied', () => {
  const raster = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 } as const
  assert.equal(flatten(raster), raster)
})
