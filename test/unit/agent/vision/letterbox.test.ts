import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitLetterbox, LetterboxTensor } from '../../../../src/agent/vision/letterbox.ts'
import type { Raster } from '../../../../src/agent/vision/raster.ts'

const plain = { channels: 'RGB' as const, mean: [0, 0, 0], std: [1, 1, 1] }

function solid(width: number, height: number, colour: number[]): Raster {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]!)
  return { data, width, height, channels: 3 }
}

test('an image keeps its aspect, small ones are scaled up', () => {
  assert.deepEqual(fitLetterbox({ width: 1280, height: 640 }, 640, 640), {
    scale: 0.5,
    contentWidth: 640,
    contentHeight: 320,
  })
  assert.deepEqual(fitLetterbox({ width: 64, height: 128 }, 640, 640), {
    scale: 5,
    contentWidth: 320,
    contentHeight: 640,
  })
  assert.equal(fitLetterbox({ width: 100_000, height: 1 }, 640, 640).contentHeight, 1)
})

test('channels go in the order of the model, normalised, black around the image', () => {
  const tensor = new LetterboxTensor(4, 4, { channels: 'BGR', mean: [10, 20, 30], std: [2, 4, 5] })
  tensor.fill(solid(8, 4, [130, 120, 110]))
  const planes = [0, 1, 2].map((plane) => [...tensor.data.subarray(plane * 16, (plane + 1) * 16)])
  assert.deepEqual(planes[0], [...Array(8).fill(50), ...Array(8).fill(-5)])
  assert.deepEqual(planes[1], [...Array(8).fill(25), ...Array(8).fill(-5)])
  assert.deepEqual(planes[2], [...Array(8).fill(20), ...Array(8).fill(-6)])
})

test('around the image is what the model was trained with', () => {
  const tensor = new LetterboxTensor(4, 4, { channels: 'RGB', mean: [14, 0, 114], std: [2, 1, 1], pad: 114 })
  tensor.fill(solid(4, 4, [0, 0, 0]))
  tensor.fill(solid(8, 4, [0, 0, 0]))
  const lower = [0, 1, 2].map((plane) => tensor.data[plane * 16 + 12])
  assert.deepEqual(lower, [50, 114, 0])
})

test('a tensor shows nothing of the image before', () => {
  const tensor = new LetterboxTensor(8, 8, plain)
  tensor.fill(solid(8, 8, [200, 200, 200]))
  tensor.fill(solid(8, 2, [9, 9, 9]))
  assert.deepEqual([...new Set(tensor.data)], [9, 0])
})

test('shrinking by any factor keeps a gradient where it was', () => {
  for (const size of [50, 100, 133, 200, 500, 1111]) {
    const ramp = solid(size, 4, [0, 0, 0])
    for (let i = 0; i < size * 4; i++) ramp.data.fill(((i % size) * 200) / size, i * 3, i * 3 + 3)
    const tensor = new LetterboxTensor(100, 100, plain)
    tensor.fill(ramp)
    for (const x of [10, 50, 90]) assert.ok(Math.abs(tensor.data[x]! - (x + 0.5) * 2) < 2.5, `${size} at ${x}`)
  }
})

test('fine detail fades instead of becoming a pattern', () => {
  const stripes = solid(660, 660, [0, 0, 0])
  for (let i = 0; i < 660 * 660; i++) if (i % 2 === 0) stripes.data.fill(200, i * 3, i * 3 + 3)
  const tensor = new LetterboxTensor(100, 100, plain)
  tensor.fill(stripes)
  for (const value of tensor.data) assert.ok(value >= 50 && value <= 150, `${value}`)
})

test('shrinking to between a half and a quarter takes the mean of four pixels for each, whatever their colours', () => {
  const [width, height] = [250, 125]
  const noise = solid(width, height, [0, 0, 0])
  for (let i = 0; i < noise.data.length; i++) noise.data[i] = (i * 2654435761) >>> 24
  const tensor = new LetterboxTensor(100, 50, plain)
  tensor.fill(noise)
  const at = (x: number, y: number, channel: number) => noise.data[(y * width + x) * 3 + channel]!
  const samples = (index: number) => [0.25, 0.75].map((part) => Math.floor((index + part) * 2.5))
  for (const [x, y] of [
    [0, 0],
    [17, 31],
    [99, 49],
  ] as const) {
    for (const channel of [0, 1, 2]) {
      const four = samples(y).flatMap((row) => samples(x).map((column) => at(column, row, channel)))
      const mean = four.reduce((sum, value) => sum + value, 0) / 4
      assert.equal(tensor.data[channel * 5000 + y * 100 + x], mean)
    }
  }
})
