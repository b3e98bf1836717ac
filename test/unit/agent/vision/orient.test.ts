import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { upright } from '../../../../src/agent/vision/orient.ts'
import type { Raster } from '../../../../src/agent/vision/raster.ts'
import { toRaster } from '../../../../src/agent/vision/sharp.ts'

function noise(width: number, height: number, channels: 3 | 4): Raster {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 2_654_435_761) >>> 24)
  return { data, width, height, channels }
}

for (const channels of [3, 4] as const) {
  test(`the eight orientations turn ${channels} channels as sharp does`, async () => {
    const { data, ...raw } = noise(75, 41, channels)
    for (let orientation = 1; orientation <= 8; orientation++) {
      const png = await sharp(data, { raw }).withMetadata({ orientation }).png().toBuffer()
      const expected = await toRaster(sharp(png).autoOrient())
      assert.deepEqual(upright({ data, ...raw }, orientation), { ...expected, data: new Uint8Array(expected.data) })
    }
  })
}
