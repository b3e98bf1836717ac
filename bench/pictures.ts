import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { shared } from '../test/helpers/shared.ts'

export interface Pictures {
  folder: string
  count: number
  bytes: number
}

/** The group photographs `copies` times: each file has bytes of its own, so that none is recognised as done before. */
export function groupPhotos(folder: string, copies: number): Pictures {
  mkdirSync(folder)
  let count = 0
  let bytes = 0
  for (const name of readdirSync(shared('photos', 'ultraface-groups'))) {
    const original = readFileSync(shared('photos', 'ultraface-groups', name))
    for (let copy = 0; copy < copies; copy++) {
      const content = Buffer.concat([original, Buffer.from(`copy ${copy}`)])
      writeFileSync(join(folder, `${copy}-${name}`), content)
      count += 1
      bytes += content.length
    }
  }
  return { folder, count, bytes }
}
