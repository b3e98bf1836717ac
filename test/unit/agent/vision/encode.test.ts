import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp, { type Sharp } from 'sharp'
import { decodeImage, viewOf } from '../../../../src/agent/vision/decode.ts'
import { fillRectangle } from '../../../../src/agent/vision/draw.ts'
import { encodeImage } from '../../../../src/agent/vision/encode.ts'
import { imageFormats } from '../../../../src/agent/vision/image-format.ts'

const limit = 1_000_000

function gradient(): Sharp {
  const data = Buffer.alloc(200 * 120 * 3)
  for (let i = 0; i < 200 * 120; i++) data.set([i % 200, Math.floor(i / 200) * 2, 120], i * 3)
  return sharp(data, { raw: { width: 200, height: 120, channels: 3 } })
}

/** Decodes, paints a green square and encodes again. */
async function painted(bytes: Buffer): Promise<Buffer> {
  const image = await decodeImage(bytes, limit)
  const view = await viewOf(image, 2048)
  fillRectangle(view, 10, 10, 50, 50, [0, 230, 118])
  return encodeImage(view, image)
}

/** Pixels as they are in the file, without a conversion of colours. */
function pixels(bytes: Buffer) {
  return sharp(bytes, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true })
}

async function pixelAt(bytes: Buffer, x: number, y: number): Promise<number[]> {
  const { data, info } = await pixels(bytes)
  const at = (y * info.width + x) * info.channels
  return [...data.subarray(at, at + 3)]
}

function near(actual: number[], expected: number[], within: number): void {
  const far = actual.some((value, i) => Math.abs(value - expected[i]!) > within)
  assert.ok(!far, `${actual} is not within ${within} of ${expected}`)
}

for (const format of imageFormats) {
  test(`a ${format} comes back as ${format}, the painting in it and the rest as it was`, async () => {
    const bytes = await gradient().toFormat(format).toBuffer()
    const out = await painted(bytes)
    const metadata = await sharp(out).metadata()
    assert.deepEqual([metadata.width, metadata.height], [200, 120])
    assert.equal((await decodeImage(out, limit)).format, format)
    near(await pixelAt(out, 30, 30), [0, 230, 118], 8)
    near(await pixelAt(out, 150, 80), await pixelAt(bytes, 150, 80), 8)
  })
}

for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const) {
  test(`EXIF and profile of a ${format} are kept, its pixels stay in the profile's colours`, async () => {
    const bytes = await gradient()
      .withMetadata({ orientation: 6, icc: 'p3' })
      .withExifMerge({ IFD0: { Copyright: 'somebody' } })
      .toFormat(format)
      .toBuffer()
    const before = await sharp(bytes).metadata()
    const out = await painted(bytes)
    const after = await sharp(out).metadata()
    assert.deepEqual([after.width, after.height, after.orientation ?? 1], [120, 200, 1])
    assert.deepEqual([after.icc, after.hasAlpha], [before.icc, false])
    // sharp reads no EXIF of a TIFF
    if (format !== 'tiff') assert.match(after.exif!.toString('latin1'), /somebody/)
    near(await pixelAt(out, 30, 30), [0, 230, 118], 8)
    const upright = await sharp(bytes, { ignoreIcc: true, autoOrient: true }).png().toBuffer()
    near(await pixelAt(out, 80, 150), await pixelAt(upright, 80, 150), 8)
  })
}

test('a grey JPEG gets coloured boxes, and no profile of grey', async () => {
  const bytes = await gradient().toColourspace('b-w').jpeg().toBuffer()
  near(await pixelAt(await painted(bytes), 30, 30), [0, 230, 118], 12)
})

test('a CMYK JPEG comes back as one that browsers show, without the CMYK profile', async () => {
  const bytes = await gradient().withIccProfile('cmyk').jpeg().toBuffer()
  assert.equal((await sharp(bytes).metadata()).channels, 4)
  const metadata = await sharp(await painted(bytes)).metadata()
  assert.deepEqual([metadata.space, metadata.icc], ['srgb', undefined])
})

for (const format of ['png', 'webp', 'avif', 'tiff', 'gif'] as const) {
  test(`the transparent parts of a ${format} stay transparent`, async () => {
    // TIFF's default, JPEG compression, drops alpha.
    const options = format === 'tiff' ? { compression: 'lzw' as const } : {}
    const clear = { create: { width: 60, height: 60, channels: 4, background: '#00000000' } } as const
    for (const profile of format === 'gif' ? [false] : [false, true]) {
      const source = sharp(clear)
      const bytes = await (profile ? source.withIccProfile('p3') : source).toFormat(format, options).toBuffer()
      const { data, info } = await sharp(await painted(bytes))
        .raw()
        .toBuffer({ resolveWithObject: true })
      assert.equal(info.channels, 4)
      assert.deepEqual([data[(30 * 60 + 30) * 4 + 3], data[(55 * 60 + 55) * 4 + 3]], [255, 0])
    }
  })
}

test('metadata of grey, palette and 16-bit PNGs is kept with the colour of the boxes', async () => {
  const marked = () => gradient().withExif({ IFD0: { Copyright: 'somebody' } })
  for (const bytes of [
    await marked().toColourspace('b-w').png().toBuffer(),
    await marked().toColourspace('grey16').png().toBuffer(),
    await marked().toColourspace('rgb16').png().toBuffer(),
    await marked().png({ palette: true }).toBuffer(),
  ]) {
    const out = await painted(bytes)
    assert.match((await sharp(out).metadata()).exif!.toString('latin1'), /somebody/)
    near(await pixelAt(out, 30, 30), [0, 230, 118], 1)
  }
})

test('a palette or 16-bit PNG takes the colour of the boxes', async () => {
  for (const bytes of [
    await gradient().png({ palette: true, colours: 4 }).toBuffer(),
    await gradient().toColourspace('rgb16').png().toBuffer(),
    await gradient().toColourspace('rgb16').withIccProfile('p3').png().toBuffer(),
    await gradient().toColourspace('b-w').png().toBuffer(),
  ]) {
    near(await pixelAt(await painted(bytes), 30, 30), [0, 230, 118], 1)
  }
})
