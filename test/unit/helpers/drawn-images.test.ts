import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { drawnPhoto } from '../../helpers/drawn-images.ts'

test('a drawn photo has its size, format and squares where they were asked for', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const) {
    const photo = await drawnPhoto({ width: 120, height: 80, squares: [[30, 20, 24]], format })
    const { data, info } = await sharp(photo).removeAlpha().raw().toBuffer({ resolveWithObject: true })
    assert.deepEqual([info.width, info.height], [120, 80])
    assert.equal((await sharp(photo).metadata()).format, format === 'avif' ? 'heif' : format)
    const isMagenta = (x: number, y: number) => {
      const [red, green, blue] = data.subarray((y * 120 + x) * 3, (y * 120 + x) * 3 + 3)
      return red! > 170 && blue! > 170 && green! < 80
    }
    assert.ok(isMagenta(33, 23) && isMagenta(50, 40), `${format}: inside`)
    assert.ok(
      !isMagenta(26, 30) && !isMagenta(58, 30) && !isMagenta(40, 16) && !isMagenta(40, 48),
      `${format}: outside`,
    )
  }
})

test('an orientation tag is written and the pixels stay as drawn', async () => {
  const photo = await drawnPhoto({ width: 60, height: 40, squares: [], orientation: 6 })
  const { orientation, width, height } = await sharp(photo).metadata()
  assert.deepEqual({ orientation, width, height }, { orientation: 6, width: 60, height: 40 })
})
