import type { PictureReader } from './picture.ts'

export const tiff: PictureReader = {
  signature: (bytes) => /^(II[*+]\0|MM\0[*+])/.test(bytes.toString('latin1', 0, 4)),
  size(bytes) {
    const tags = readTags(bytes)
    const [width] = tags?.get(tag.width) ?? []
    const [height] = tags?.get(tag.height) ?? []
    return width && height ? { width, height } : undefined
  },
  /** The first directory lies in the file, and so does every strip or tile that it names. */
  isWhole(bytes) {
    const tags = readTags(bytes)
    const offsets = tags?.get(tag.stripOffsets) ?? tags?.get(tag.tileOffsets) ?? []
    const lengths = tags?.get(tag.stripBytes) ?? tags?.get(tag.tileBytes) ?? []
    if (offsets.length === 0 || offsets.length !== lengths.length) return false
    return offsets.every((offset, index) => offset >= 8 && offset + lengths[index]! <= bytes.length)
  },
}

const tag = { width: 256, height: 257, stripOffsets: 273, stripBytes: 279, tileOffsets: 324, tileBytes: 325 }
const wanted = new Set(Object.values(tag))
/** Bytes of a value by its type, from BYTE to DOUBLE. */
const widths = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]

/** The numbers of the tags wanted, of the first picture; undefined where one of its values does not lie in the file. */
function readTags(bytes: Buffer): Map<number, number[]> | undefined {
  const little = bytes[0] === 0x49
  const read = (at: number, width: 2 | 4) => (little ? bytes.readUIntLE(at, width) : bytes.readUIntBE(at, width))
  // BigTIFF (43) is read and never written.
  if (bytes.length < 8 || read(2, 2) !== 42) return undefined
  const start = read(4, 4)
  if (start + 2 > bytes.length) return undefined
  const count = read(start, 2)
  if (start + 2 + 12 * count > bytes.length) return undefined
  const tags = new Map<number, number[]>()
  for (let index = 0; index < count; index++) {
    const at = start + 2 + 12 * index
    const [name, width, values] = [read(at, 2), widths[read(at + 2, 2)] ?? 0, read(at + 4, 4)]
    const place = width * values <= 4 ? at + 8 : read(at + 8, 4)
    if (place + width * values > bytes.length) return undefined
    // SHORT and LONG are what these tags can have.
    if (!wanted.has(name) || tags.has(name) || (width !== 2 && width !== 4)) continue
    tags.set(
      name,
      Array.from({ length: values }, (_, value) => read(place + width * value, width)),
    )
  }
  return tags
}
