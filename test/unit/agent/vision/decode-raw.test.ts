import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { decodeImage, uprightSize, viewOf } from '../../../../src/agent/vision/decode.ts'
import { encodeImage } from '../../../../src/agent/vision/encode.ts'
import { largestPreview } from '../../../../src/agent/vision/libraw.ts'
import { isRawPhoto } from '../../../../src/common/raw-photo.ts'
import { drawnPhoto } from '../../../helpers/drawn-images.ts'
import { drawnRaw, endlessRaw, rawKinds } from '../../../helpers/drawn-raw.ts'

const limit = 1_000_000
const drawn = { width: 800, height: 600, squares: [[600, 100, 100] as [number, number, number]] }

async function preview(size = drawn) {
  return { jpeg: await drawnPhoto(size), width: size.width, height: size.height }
}

for (const kind of rawKinds) {
  test(`the largest preview of a ${kind} is taken, as the camera was held`, async () => {
    const bytes = await drawnRaw({ kind, preview: await preview(), orientation: 6 })
    const image = await decodeImage(bytes, limit)
    assert.deepEqual(uprightSize(image), { width: 600, height: 800 })
    const view = await viewOf(image, 2048)
    // (650, 150) turned by a quarter clockwise.
    const at = (650 * view.width + 449) * 3
    assert.deepEqual(
      [...view.data.subarray(at, at + 3)].map((value) => Math.round(value / 32)),
      [8, 0, 8],
    )
    const copy = await sharp(await encodeImage(view, image)).metadata()
    assert.deepEqual([copy.format, copy.width, copy.height, copy.orientation], ['jpeg', 600, 800, 1])
  })
}

test('a preview that the camera has turned itself is left as it is', async () => {
  const upright = await preview({ width: 600, height: 800, squares: [] })
  const image = await decodeImage(await drawnRaw({ preview: upright, orientation: 6 }), limit)
  assert.deepEqual(uprightSize(image), { width: 600, height: 800 })
})

test('a raw photo with nothing but a thumbnail says so', async () => {
  const message = 'the raw photo has no preview larger than 160x120'
  for (const kind of rawKinds) {
    await assert.rejects(decodeImage(await drawnRaw({ kind }), limit), { code: 'CPN_ERR_IMAGE_UNSUPPORTED', message })
  }
})

test('too many pixels are refused before they are decoded', async () => {
  const bytes = await drawnRaw({ preview: await preview() })
  const refused = { code: 'CPN_ERR_IMAGE_TOO_LARGE', message: /800x600 pixels/ }
  await assert.rejects(decodeImage(bytes, 479_999), refused)
  await decodeImage(bytes, 480_000)
})

test('a raw photo that is cut or no raw photo at all has a reason, and the next one is read', async () => {
  const whole = await drawnRaw({ preview: await preview() })
  const header = Buffer.alloc(4096)
  for (const start of ['FUJIFILMCCD-RAW ', '\0\0\0\x18ftypcrx ', 'IIRO', 'IIU\0']) {
    header.fill(0).write(start, 'latin1')
    await assert.rejects(decodeImage(header, limit), {
      code: /^CPN_ERR_IMAGE_(DECODE|UNSUPPORTED)$/,
      message: /raw photo/,
    })
  }
  for (const cut of [300, 4000, whole.length - 3000]) {
    const outcome = await decodeImage(whole.subarray(0, cut), limit).catch((error) => error)
    assert.match(outcome.code ?? '', /^CPN_ERR_IMAGE_(DECODE|UNSUPPORTED)$/, `cut at ${cut}`)
  }
  assert.equal((await decodeImage(whole, limit)).stored.width, 800)
})

test('a raw photo on which LibRaw never ends is given up, and the next one is read', async () => {
  for (const kind of rawKinds) {
    await assert.rejects(largestPreview(await endlessRaw(kind), 300), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' }, kind)
  }
  const whole = await drawnRaw({ preview: await preview() })
  assert.equal((await decodeImage(whole, limit)).stored.width, 800)
})

test('a TIFF is no raw photo, and directories in a circle end', async () => {
  assert.equal(isRawPhoto(await drawnPhoto({ ...drawn, format: 'tiff' })), false)
  assert.equal(isRawPhoto(await drawnPhoto(drawn)), false)
  const circle = Buffer.from('II*\0\x08\0\0\0\0\0\x08\0\0\0', 'latin1')
  assert.equal(isRawPhoto(circle), false)
  assert.equal(isRawPhoto(circle.subarray(0, 6)), false)
})
