import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { annotate } from '../../../../src/agent/vision/annotate.ts'
import { LabelPainter } from '../../../../src/agent/vision/label-painter.ts'
import type { Raster } from '../../../../src/agent/vision/raster.ts'
import { fontsFolder } from '../../../helpers/fonts.ts'

let painter: LabelPainter
before(() => {
  painter = new LabelPainter(fontsFolder())
})

function blank(width: number, height: number, channels: 3 | 4 = 3): Raster {
  return { data: new Uint8Array(width * height * channels), width, height, channels }
}

/** Bounds of everything that was drawn: left, top, right, bottom, inclusive. */
function drawn({ data, width, height, channels }: Raster): number[] {
  const bounds = [width, height, -1, -1]
  for (let i = 0; i < width * height; i++) {
    if (data.subarray(i * channels, (i + 1) * channels).every((value) => value === 0)) continue
    const [x, y] = [i % width, Math.floor(i / width)]
    bounds[0] = Math.min(bounds[0]!, x)
    bounds[1] = Math.min(bounds[1]!, y)
    bounds[2] = Math.max(bounds[2]!, x)
    bounds[3] = Math.max(bounds[3]!, y)
  }
  return bounds
}

function pixel({ data, width, channels }: Raster, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * channels, (y * width + x + 1) * channels)]
}

test('a box is an outline with its label on top, nothing else changes', async () => {
  const raster = blank(800, 600)
  await annotate(raster, [{ box: [200, 200, 300, 200], label: '0.93', kind: 'found' }], painter)
  const [left, top, right, bottom] = drawn(raster)
  assert.deepEqual([left, right, bottom], [199, 500, 400])
  assert.ok(top! < 200 && top! > 170, `label begins at ${top}`)
  assert.deepEqual(pixel(raster, 350, 300), [0, 0, 0])
  assert.deepEqual(pixel(raster, 200, 300), [0, 230, 118])
  assert.deepEqual(pixel(raster, 350, 200), [0, 230, 118])
})

test('lines grow with the picture', async () => {
  const widths = await Promise.all(
    [200, 1024, 4000].map(async (size) => {
      const raster = blank(size, 300)
      await annotate(raster, [{ box: [50, -100, 100, 600], label: '0.9', kind: 'found' }], painter)
      return (
        Array.from({ length: size }, (_, x) => pixel(raster, x, 250)[1]!).filter((value) => value === 230).length / 2
      )
    }),
  )
  assert.deepEqual(widths, [1, 3, 10])
})

test('labels stay inside the picture, at all of its edges', async () => {
  for (const box of [
    [0, 0, 50, 50],
    [380, 2, 20, 20],
    [390, 290, 10, 10],
    [-20, 250, 60, 90],
  ] as [number, number, number, number][]) {
    const raster = blank(400, 300)
    await annotate(raster, [{ box, label: '0.99', kind: 'found' }], painter)
    const text = Array.from({ length: 400 * 300 }, (_, i) => pixel(raster, i % 400, Math.floor(i / 400))[1]!)
    assert.ok(text.filter((value) => value === 230).length > 300, `a label at ${box}`)
  }
})

test('a picture too small for labels has boxes only', async () => {
  const raster = blank(12, 12)
  await annotate(raster, [{ box: [2, 2, 6, 6], label: '0.99', kind: 'found' }], painter)
  assert.deepEqual(drawn(raster), [2, 2, 7, 7])
})

test('what is drawn is opaque', async () => {
  const raster = blank(400, 300, 4)
  await annotate(raster, [{ box: [100, 100, 80, 80], label: '0.99', kind: 'found' }], painter)
  assert.equal(pixel(raster, 100, 140)[3], 255)
  assert.equal(pixel(raster, 140, 140)[3], 0)
})

test('a label is rendered once and its markup is text', async () => {
  const [first, second] = await Promise.all([painter.mask('a<b>&c', 20), painter.mask('a<b>&c', 20)])
  assert.deepEqual(first, second)
  assert.equal(await painter.mask('a<b>&c', 20), await painter.mask('a<b>&c', 20))
  const digits = await painter.mask('0.93', 20)
  assert.ok(digits.height >= 13 && digits.height <= 20, `20 pixel digits are ${digits.height} high`)
  assert.ok(Math.max(...digits.data) > 250 && Math.min(...digits.data) === 0)
})

test('a name too long for its picture is shortened, and its box has a label', async () => {
  const raster = blank(120, 90)
  const label = `\u2068${'Wolfeschlegelstein '.repeat(5).trim()}\u2069 0.82`
  await annotate(raster, [{ box: [10, 40, 30, 30], label, kind: 'found' }], painter)
  const [left, top, right, bottom] = drawn(raster)
  assert.ok(left! >= 0 && right! <= 119 && right! > 110, `from ${left} to ${right}`)
  assert.ok(top! < 40 && bottom === 69, `from ${top} to ${bottom}`)
})
