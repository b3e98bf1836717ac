import { boxes, boxesAt, hasBrand } from './iso-boxes.ts'
import type { PictureReader, Size } from './picture.ts'

export const heic: PictureReader = {
  signature: (bytes) => hasBrand(bytes, /hei[cxms]|hev[cxms]|mif1|msf1/),
  /** Of the primary picture, before it is turned; undefined for one that is cropped. */
  size(bytes) {
    const item = primaryItem(bytes)
    const container = [...boxesAt(bytes, ['meta', 'iprp', 'ipco'])][0]
    if (item === undefined || !container) return undefined
    const properties = [...boxesAt(bytes, ['meta', 'iprp', 'ipma'])].flatMap((box) =>
      associations(bytes.subarray(box.start, box.end), item),
    )
    const all = [...boxes(bytes, container.start, container.end)]
    const own = properties.flatMap((index) => all[index - 1] ?? [])
    if (own.some(({ kind }) => kind === 'clap')) return undefined
    const extent = own.find(({ kind, start, end }) => kind === 'ispe' && end - start >= 12)
    return extent && sizeAt(bytes, extent.start)
  },
  /** No copy is one. */
  isWhole: () => false,
}

const sizeAt = (bytes: Buffer, at: number): Size => ({
  width: bytes.readUInt32BE(at + 4),
  height: bytes.readUInt32BE(at + 8),
})

/** The item that a viewer shows. */
function primaryItem(bytes: Buffer): number | undefined {
  for (const { start, end } of boxesAt(bytes, ['meta', 'pitm'])) {
    const wide = bytes[start] !== 0
    if (end - start >= (wide ? 8 : 6)) return wide ? bytes.readUInt32BE(start + 4) : bytes.readUInt16BE(start + 4)
  }
  return undefined
}

/** Properties of an item, counted from 1, out of an `ipma` box: ISO/IEC 23008-12, 9.3.1. */
function associations(box: Buffer, wanted: number): number[] {
  const wideItems = box[0] !== 0
  const wideProperties = ((box[3] ?? 0) & 1) === 1
  const count = box.length >= 8 ? box.readUInt32BE(4) : 0
  let at = 8
  for (let entry = 0; entry < count && at + (wideItems ? 5 : 3) <= box.length; entry++) {
    const item = wideItems ? box.readUInt32BE(at) : box.readUInt16BE(at)
    at += wideItems ? 4 : 2
    const length = box[at]! * (wideProperties ? 2 : 1)
    const list = box.subarray(at + 1, at + 1 + length)
    if (item === wanted && list.length === length) {
      // The highest bit says that a reader must know the property.
      return wideProperties
        ? Array.from({ length: length / 2 }, (_, index) => list.readUInt16BE(index * 2) & 0x7fff)
        : Array.from(list, (index) => index & 0x7f)
    }
    at += 1 + length
  }
  return []
}
