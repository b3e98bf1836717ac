import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { alignFace, cropEdge } from '../../../../src/agent/vision/align.ts'
import { decodeImage, viewOf } from '../../../../src/agent/vision/decode.ts'
import type { Point } from '../../../../src/agent/vision/detection.ts'
import type { Raster } from '../../../../src/agent/vision/raster.ts'
import { fromRaster, toRaster } from '../../../../src/agent/vision/sharp.ts'
import { sharpness } from '../../../../src/agent/vision/sharpness.ts'
import { facesPipeline, runFaces } from '../../../helpers/faces.ts'
import { randomOf } from '../../../helpers/random.ts'
import { shared, sharedMissing } from '../../../helpers/shared.ts'

const skip = sharedMissing

function crop(valueAt: (x: number, y: number) => number): Raster {
  const data = new Uint8Array(cropEdge * cropEdge * 3)
  for (let i = 0; i < cropEdge * cropEdge; i++) {
    data.fill(Math.round(valueAt(i % cropEdge, Math.floor(i / cropEdge))), i * 3, i * 3 + 3)
  }
  return { data, width: cropEdge, height: cropEdge, channels: 3 }
}

const blurred = (face: Raster, sigma: number) => toRaster(fromRaster(face).blur(sigma))

/** Fails unless each further blur makes it less sharp. */
async function assertFalls(face: Raster): Promise<void> {
  let last = sharpness(face)
  for (const sigma of [1, 1.5, 2, 3, 4, 6]) {
    const next = sharpness(await blurred(face, sigma))
    assert.ok(next < last, `blur ${sigma}: ${next} is not less than ${last}`)
    last = next
  }
}

test('sharpness is 1 for a checkerboard and 0 for one colour', () => {
  assert.equal(sharpness(crop((x, y) => ((x + y) % 2) * 255)), 1)
  assert.equal(sharpness(crop(() => 90)), 0)
})

test('a slope has no sharpness, whatever its contrast', () => {
  for (const gain of [1, 2]) assert.ok(sharpness(crop((x) => 10 + gain * x)) < 1e-6)
})

test('light and contrast do not change the sharpness', () => {
  const random = randomOf(1)
  const texture = Array.from({ length: cropEdge * cropEdge }, () => Math.floor(random() * 50) * 2)
  const bright = sharpness(crop((x, y) => 100 + texture[y * cropEdge + x]!))
  const dim = sharpness(crop((x, y) => 20 + texture[y * cropEdge + x]! / 2))
  assert.ok(Math.abs(bright - dim) < 1e-6, `${bright} and ${dim}`)
})

test('what lies at the edge of the crop does not count', () => {
  const pattern = (x: number, y: number) => 100 + 40 * Math.sin(x / 5) * Math.sin(y / 5)
  // The Laplacian looks a pixel further than the margin of 16.
  const inside = (at: number) => at >= 15 && at <= cropEdge - 16
  const plain = crop(pattern)
  const edged = crop((x, y) => (inside(x) && inside(y) ? pattern(x, y) : 255))
  assert.equal(sharpness(edged), sharpness(plain))
})

test('the more a drawn face is blurred the less sharp it is', async () => {
  const disc = (x: number, y: number, [u, v]: Point, radius: number) => Math.hypot(x - u, y - v) < radius
  const face = crop((x, y) => {
    if (disc(x, y, [38, 52], 5) || disc(x, y, [74, 52], 5)) return 20
    return y > 90 && y < 95 && x > 42 && x < 71 ? 60 : 190
  })
  await assertFalls(face)
})

test('the more a photographed face is blurred the less sharp it is', { skip }, async () => {
  for (const file of ['Family1-Dad1.jpg', 'Family1-Mom2.jpg', 'identification1.jpg']) {
    const bytes = readFileSync(shared('photos', 'azure-faces', file))
    const { answer } = await runFaces(bytes, facesPipeline('yunet-2023mar'))
    const raster = await viewOf(await decodeImage(bytes, 1e8), Number.POSITIVE_INFINITY)
    assert.ok(answer.faces.length > 0)
    for (const face of answer.faces) {
      const aligned = alignFace(raster, face)
      assert.ok(sharpness(aligned) > 0.03, `${file}: ${sharpness(aligned)}`)
      await assertFalls(aligned)
    }
  }
})
