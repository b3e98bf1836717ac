import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawnPhoto } from '../../helpers/drawn-images.ts'

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

export function pictureName(index: number): string {
  return `${String(index).padStart(4, '0')}.jpg`
}
