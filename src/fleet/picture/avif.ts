import { boxes, boxesAt, hasBrand } from './iso-boxes.ts'
import type { PictureReader, Size } from './picture.ts'

export const avif: PictureReader = {
  signature: (bytes) => hasBrand(bytes, /avi[fs]/),
  /** Of the largest picture in the file: tiles, alpha and thumbnails have sizes of their own, none of them larger. */
  size(bytes) {
    let largest: Size | undefined
    for (const { start, end } of boxesAt(bytes, ['meta', 'iprp', 'ipco', 'ispe'])) {
      if (end - start < 12) continue
      const size = { width: bytes.readUInt32BE(start + 4), height: bytes.readUInt32BE(start + 8) }
      if (!largest || size.width * size.height > largest.width * largest.height) largest = size
    }
    return largest
  },
  /** Boxes fill the file, and there is a description and data among them. */
  isWhole(bytes) {
    const found = [...boxes(bytes, 0, bytes.length)]
    const kinds = new Set(found.map(({ kind }) => kind))
    return found.at(-1)?.end === bytes.length && kinds.has('meta') && kinds.has('mdat')
  },
}
