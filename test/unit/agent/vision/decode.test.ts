import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp, { type Sharp } from 'sharp'
import { decodeImage, uprightSize, viewOf } from '../../../../src/agent/vision/decode.ts'
import { flatten, type Raster } from '../../../../src/agent/vision/raster.ts'
import { drawnPhoto } from '../../../helpers/drawn-images.ts'

const limit = 1_000_000
const size = { width: 90, height: 60 }

/** Left half orange, right half blue. */
function halves(): Sharp {
  const data = Buffer.alloc(90 * 60 * 3)
  for (let i = 0; i < 90 * 60; i++) data.set(i % 90 < 45 ? [240, 120, 10] : [10, 60, 220], i * 3)
  return sharp(data, { raw: { ...size, channels: 3 } })
}

function pixel({ data, width, channels }: Raster, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3)]
}

function near(actual: number[], expected: number[], within: number): void {
  const far = actual.some((value, i) => Math.abs(value - expected[i]!) > within)
  assert.ok(!far, `${actual} is not within ${within} of ${expected}`)
}

const kinds: [name: string, bytes: () => Promise<Buffer>][] = [
  ['baseline JPEG', () => halves().jpeg({ quality: 95 }).toBuffer()],
  ['progressive JPEG', () => halves().jpeg({ quality: 95, progressive: true }).toBuffer()],
  ['4:4:4 JPEG', () => halves().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()],
  ['PNG', () => halves().png().toBuffer()],
  ['palette PNG', () => halves().png({ palette: true }).toBuffer()],
  ['16-bit PNG', () => halves().toColourspace('rgb16').png().toBuffer()],
  ['PNG with alpha', () => halves().ensureAlpha().png().toBuffer()],
  ['WebP', () => halves().webp({ quality: 95 }).toBuffer()],
  ['lossless WebP', () => halves().webp({ lossless: true }).toBuffer()],
  ['AVIF', () => halves().avif({ quality: 90 }).toBuffer()],
  ['TIFF', () => halves().tiff({ compression: 'deflate' }).toBuffer()],
  ['GIF', () => halves().gif().toBuffer()],
]

for (const [name, bytes] of kinds) {
  test(`a ${name} is decoded to its colours`, async () => {
    const image = await decodeImage(await bytes(), limit)
    assert.deepEqual(uprightSize(image), size)
    const raster = flatten(image.stored)
    near(pixel(raster, 10, 30), [240, 120, 10], 8)
    near(pixel(raster, 80, 30), [10, 60, 220], 8)
  })
}

test('grey pictures become grey RGB, CMYK ones keep their hue', async () => {
  for (const bytes of [
    await halves().toColourspace('b-w').jpeg({ quality: 95 }).toBuffer(),
    await halves().toColourspace('b-w').png().toBuffer(),
    await halves().toColourspace('grey16').png().toBuffer(),
  ]) {
    const [red, green, blue] = pixel((await decodeImage(bytes, limit)).stored, 10, 30)
    assert.ok(red === green && green === blue && red! > 90 && red! < 200)
  }
  for (const bytes of [
    await halves().toColourspace('cmyk').jpeg().toBuffer(),
    await halves().toColourspace('cmyk').tiff().toBuffer(),
  ]) {
    const [red, , blue] = pixel((await decodeImage(bytes, limit)).stored, 10, 30)
    assert.ok(red! > blue! + 80)
  }
})

test('a transparent picture keeps its alpha', async () => {
  const bytes = await halves().ensureAlpha(0.6).png().toBuffer()
  const { stored } = await decodeImage(bytes, limit)
  assert.deepEqual([stored.channels, stored.data[3]], [4, 153])
})

test('only the first frame of an animation is taken', async () => {
  const frames = Buffer.concat([Buffer.alloc(20 * 10 * 3, 250), Buffer.alloc(20 * 10 * 3, 5)])
  const strip = sharp(frames, { raw: { width: 20, height: 20, channels: 3, pageHeight: 10 } })
  for (const bytes of [await strip.clone().gif().toBuffer(), await strip.clone().webp({ lossless: true }).toBuffer()]) {
    const image = await decodeImage(bytes, limit)
    assert.deepEqual(uprightSize(image), { width: 20, height: 10 })
    near(pixel(image.stored, 5, 5), [250, 250, 250], 3)
  }
})

test('an orientation is applied once, whatever the format', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'tiff'] as const) {
    const bytes = await drawnPhoto({ ...size, squares: [[60, 10, 20]], format, orientation: 6 })
    const image = await decodeImage(bytes, limit)
    assert.deepEqual(uprightSize(image), { width: 60, height: 90 })
    const view = flatten(await viewOf(image, 2048))
    assert.deepEqual([view.width, view.height], [60, 90])
    // (70, 20) turned by a quarter clockwise
    near(pixel(view, 39, 70), [255, 0, 255], 12)
  }
})

test('a view is upright and shrunk, never enlarged', async () => {
  const bytes = await drawnPhoto({ width: 900, height: 300, squares: [], orientation: 8 })
  const view = await viewOf(await decodeImage(bytes, limit), 450)
  assert.deepEqual([view.width, view.height], [150, 450])
  const same = await viewOf(await decodeImage(bytes, limit), 5000)
  assert.deepEqual([same.width, same.height], [300, 900])
})

test('too many pixels are refused by the header alone', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const) {
    const bytes = await drawnPhoto({ width: 200, height: 100, squares: [], format })
    const refused = { code: 'CPN_ERR_IMAGE_TOO_LARGE', message: /200x100 pixels/ }
    await assert.rejects(decodeImage(bytes, 19_999), refused)
    await decodeImage(bytes, 20_000)
  }
})

test('a JPEG that breaks off is decoded as far as it goes', async () => {
  const bytes = await halves().jpeg({ quality: 95 }).toBuffer()
  const image = await decodeImage(bytes.subarray(0, bytes.length - 40), limit)
  assert.deepEqual(uprightSize(image), size)
  near(pixel(image.stored, 10, 5), [240, 120, 10], 8)
})

test('what is no image is named, what is broken beyond use gives a reason', async () => {
  const png = await halves().png().toBuffer()
  const files: [Uint8Array, string, RegExp][] = [
    [Buffer.from('BM123456789'), 'CPN_ERR_IMAGE_UNSUPPORTED', /^the file is a BMP image, which cpn does not read$/],
    [Buffer.from('plain text'), 'CPN_ERR_IMAGE_UNSUPPORTED', /^the file is not an image of a known kind$/],
    [Buffer.alloc(0), 'CPN_ERR_IMAGE_DECODE', /empty/],
    [png.subarray(0, 20), 'CPN_ERR_IMAGE_DECODE', /the PNG cannot be decoded: ./],
    [Buffer.from('\xff\xd8\xff\xe0 nothing more', 'latin1'), 'CPN_ERR_IMAGE_DECODE', /the JPEG cannot be decoded: ./],
    [Buffer.from('II*\0\xff\xff\xff\xff', 'latin1'), 'CPN_ERR_IMAGE_DECODE', /the TIFF cannot be decoded: ./],
  ]
  for (const [bytes, code, message] of files) await assert.rejects(decodeImage(bytes, limit), { code, message })
})
