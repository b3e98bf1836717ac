import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { shared } from '../test/helpers/shared.ts'
import type { Pictures } from './pictures.ts'

const perFolder = 1000

/** Many small pictures of a row of people, about 3 kB each, in folders of a thousand; each has bytes of its own. */
export async function tinyPhotos(folder: string, count: number): Promise<Pictures> {
  const row = await sharp(shared('photos', 'ultraface-groups', '1.jpg'))
    .resize(256, 48, { fit: 'cover' })
    .jpeg({ quality: 50 })
    .toBuffer()
  let bytes = 0
  for (let index = 0; index < count; index++) {
    const inner = join(folder, String(Math.floor(index / perFolder)).padStart(4, '0'))
    if (index % perFolder === 0) mkdirSync(inner, { recursive: true })
    // What comes behind the end of a JPEG is not looked at, but makes the file another one.
    const content = Buffer.concat([row, Buffer.from(`copy ${index}`)])
    writeFileSync(join(inner, `${index}.jpg`), content)
    bytes += content.length
  }
  return { folder, count, bytes }
}
