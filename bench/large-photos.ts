import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { shared } from '../test/helpers/shared.ts'
import type { Pictures } from './pictures.ts'

const width = 6000
const height = 4000
const tilesAcross = 3
const different = 8

/**
 * Photographs as a camera of 24 megapixels takes them, 4 to 8 MB each: nine group photographs side by side, enlarged.
 * Each file has bytes of its own, so that none is recognised as done before.
 */
export async function largePhotos(folder: string, count: number): Promise<Pictures> {
  mkdirSync(folder)
  const originals: Buffer[] = []
  for (let index = 0; index < Math.min(count, different); index++) originals.push(await largePhoto(index))
  let bytes = 0
  for (let index = 0; index < count; index++) {
    const content = Buffer.concat([originals[index % originals.length]!, Buffer.from(`copy ${index}`)])
    writeFileSync(join(folder, `${index}.jpg`), content)
    bytes += content.length
  }
  return { folder, count, bytes }
}

async function largePhoto(first: number): Promise<Buffer> {
  const names = readdirSync(shared('photos', 'ultraface-groups')).sort()
  const tile = { width: width / tilesAcross, height: Math.ceil(height / tilesAcross) }
  const tiles = Array.from({ length: tilesAcross ** 2 }, async (_, index) => ({
    input: await sharp(shared('photos', 'ultraface-groups', names[(first * 3 + index) % names.length]!))
      .resize(tile.width, tile.height, { fit: 'cover' })
      // What enlarging has smoothed away: without it a JPEG of this size is half as large as a camera's.
      .sharpen({ sigma: 1, m1: 3, m2: 3 })
      .toBuffer(),
    left: (index % tilesAcross) * tile.width,
    top: Math.min(Math.floor(index / tilesAcross) * tile.height, height - tile.height),
  }))
  return sharp({ create: { width, height, channels: 3, background: '#000' } })
    .composite(await Promise.all(tiles))
    .jpeg({ quality: 92 })
    .toBuffer()
}
