import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { decodeImage, uprightSize, viewOf } from '../../../../src/agent/vision/decode.ts'
import { encodeImage } from '../../../../src/agent/vision/encode.ts'
import type { Raster } from '../../../../src/agent/vision/raster.ts'
import { type DrawnHeic, drawnHeic, heifEncMissing } from '../../../helpers/drawn-heic.ts'
import { drawnPhoto } from '../../../helpers/drawn-images.ts'
import { tempFolder } from '../../../helpers/temp-folder.ts'

const limit = 1_000_000
const [width, height] = [200, 120]
/** Red grows to the right, green downwards. */
const pixels = Buffer.alloc(width * height * 3)
for (let i = 0; i < width * height; i++) pixels.set([i % width, Math.floor(i / width) * 2, 120], i * 3)

const heic = (look: Partial<DrawnHeic> = {}) => drawnHeic({ pixels, width, height, ...look })

/** Red and green of a pixel, within a shade of what was drawn at (x, y). */
function assertShows({ data, width: across }: Raster, at: [number, number], [x, y]: [number, number]): void {
  const offset = (at[1] * across + at[0]) * 3
  const [red, green] = [data[offset]!, data[offset + 1]!]
  assert.ok(Math.abs(red - x) <= 6 && Math.abs(green - 2 * y) <= 6, `${red},${green} at ${at}, not ${x},${2 * y}`)
}

test('a HEIC is decoded to its colours, in one piece and in tiles as telephones write it', {
  skip: heifEncMissing,
}, async () => {
  for (const look of [{}, { tile: 64 }]) {
    const { stored } = await decodeImage(await heic(look), limit)
    assert.deepEqual([stored.width, stored.height, stored.channels], [width, height, 3])
    for (const at of [
      [10, 10],
      [150, 20],
      [70, 110],
    ] as [number, number][])
      assertShows(stored, at, at)
  }
})

test('what the boxes say is applied once, and EXIF says nothing about a HEIC', { skip: heifEncMissing }, async () => {
  const photo = await sharp(await drawnPhoto({ width: 8, height: 8, squares: [], orientation: 6 })).metadata()
  const exif = photo.exif!.subarray(6)
  const turned = await decodeImage(await heic({ turns: 3, tile: 64, exif }), limit)
  assert.deepEqual(uprightSize(turned), { width: height, height: width })
  // A quarter turn clockwise: what was at the left end of the bottom row is at the top left.
  assertShows(await viewOf(turned, 2048), [5, 5], [5, height - 6])
  const plain = await decodeImage(await heic({ exif }), limit)
  assert.deepEqual(uprightSize(plain), { width, height })
  const mirrored = await decodeImage(await heic({ mirror: 1 }), limit)
  const across = await decodeImage(await heic({ mirror: 0 }), limit)
  assertShows(mirrored.stored, [10, 10], [width - 11, 10])
  assertShows(across.stored, [10, 10], [10, height - 11])
})

test('the copy is a JPEG with EXIF and profile, upright', { skip: heifEncMissing }, async () => {
  const carrier = await sharp(await drawnPhoto({ width: 8, height: 8, squares: [] }))
    .withMetadata({ orientation: 6, icc: 'p3' })
    .withExifMerge({ IFD0: { Copyright: 'somebody' } })
    .jpeg()
    .toBuffer()
  const { exif, icc } = await sharp(carrier).metadata()
  const image = await decodeImage(await heic({ exif: exif!.subarray(6), icc: icc!, turns: 3 }), limit)
  const copy = await sharp(await encodeImage(await viewOf(image, 2048), image)).metadata()
  assert.deepEqual([image.format, copy.format, copy.width, copy.height], ['jpeg', 'jpeg', height, width])
  assert.equal(copy.orientation, 1)
  assert.ok(copy.icc?.equals(icc!))
  assert.ok(copy.exif?.includes('somebody'))
})

test('ten bits a colour and transparency become eight bits over white', { skip: heifEncMissing }, async () => {
  using folder = tempFolder()
  const encode = async (name: string, png: Buffer, ...options: string[]) => {
    const [from, to] = [join(folder.path, `${name}.png`), join(folder.path, `${name}.heic`)]
    writeFileSync(from, png)
    execFileSync('heif-enc', ['-q', '95', '-p', 'chroma=444', ...options, from, '-o', to], { stdio: 'ignore' })
    return (await decodeImage(readFileSync(to), limit)).stored
  }
  const picture = sharp(pixels, { raw: { width, height, channels: 3 } })
  const deep = await encode('deep', await picture.clone().toColourspace('rgb16').png().toBuffer(), '-b', '10')
  assertShows(deep, [150, 20], [150, 20])
  const clear = await encode('clear', await picture.clone().ensureAlpha(0).png().toBuffer())
  assert.deepEqual([clear.channels, ...clear.data.subarray(0, 3)], [3, 255, 255, 255])
})

test('too many pixels are refused by the header alone, and a header that lies is no way around', {
  skip: heifEncMissing,
}, async () => {
  for (const look of [{}, { tile: 64 }]) {
    const refused = { code: 'CPN_ERR_IMAGE_TOO_LARGE', message: /^the image has 20000x20000 pixels/ }
    await assert.rejects(decodeImage(await heic({ ...look, said: { width: 20_000, height: 20_000 } }), limit), refused)
    await assert.rejects(decodeImage(await heic(look), width * height - 1), { code: 'CPN_ERR_IMAGE_TOO_LARGE' })
  }
  await assert.rejects(
    decodeImage(await heic({ said: { width: 16, height: 16 } }), 256),
    /^CpnError: the HEIC cannot be decoded: ./,
  )
})

test('of a HEIC that breaks off the tiles that are there are shown, or a reason, and the next one is decoded', {
  skip: heifEncMissing,
}, async () => {
  const whole = await heic({ tile: 64 })
  for (let cut = 32; cut < whole.length - 1; cut += Math.ceil(whole.length / 40)) {
    const outcome = await decodeImage(whole.subarray(0, cut), limit).catch((error) => error)
    if ('stored' in outcome) {
      assertShows(outcome.stored, [10, 10], [10, 10])
      continue
    }
    assert.match(outcome.code ?? '', /^CPN_ERR_IMAGE_(DECODE|UNSUPPORTED)$/, `cut at ${cut}`)
    assert.match(outcome.message, /^the HEIC cannot be decoded: \S/)
  }
  assert.equal((await decodeImage(whole, limit)).stored.width, width)
})
