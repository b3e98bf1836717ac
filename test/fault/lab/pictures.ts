import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { drawnPhoto } from '../../helpers/drawn-images.ts'
import { shared } from '../../helpers/shared.ts'

const drawings = 12

/**
 * Writes pictures whose faces differ, so that a result under a wrong name shows, and all of different content.
 * @param padding bytes behind the end of each picture, which make it long without making it slow
 */
export async function drawPictures(folder: string, count: number, padding = 0): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const drawn = await Promise.all(
    Array.from({ length: drawings }, (_, index) =>
      drawnPhoto({ width: 640, height: 480, squares: [[20 + index * 40, 40 + index * 20, 60 + index * 6]] }),
    ),
  )
  for (let index = 0; index < count; index++) {
    const tail = Buffer.alloc(padding + 8, `${index} `)
    writeFileSync(join(folder, pictureName(index)), Buffer.concat([drawn[index % drawings]!, tail]))
  }
}

const crops = 12
const groups = [1, 10, 11, 12]

/** Writes small photographs of rows of people, about 3 kB each; an agent has many of them done in a second. */
export async function cropPhotos(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const cropped = await Promise.all(
    Array.from({ length: crops }, (_, index) =>
      sharp(shared('photos', 'ultraface-groups', `${groups[index % groups.length]}.jpg`))
        .resize(256 + index * 4, 48 + index, { fit: 'cover' })
        .jpeg({ quality: 60 })
        .toBuffer(),
    ),
  )
  for (let index = 0; index < count; index++) {
    writeFileSync(join(folder, pictureName(index)), Buffer.concat([cropped[index % crops]!, Buffer.from(` ${index}`)]))
  }
}

export function pictureName(index: number): string {
  return `${String(index).padStart(4, '0')}.jpg`
}
