import type { PictureReader } from './picture.ts'

export const gif: PictureReader = {
  signature: (bytes) => /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6)),
  size: (bytes) => (bytes.length >= 13 ? { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) } : undefined),
  /** Blocks lead from the header to the trailer, which is last, and there is a picture among them. */
  isWhole(bytes) {
    let at = 13 + tableBytes(bytes[10] ?? 0)
    let pictures = 0
    while (at < bytes.length) {
      const kind = bytes[at]
      if (kind === 0x3b) return pictures > 0 && at === bytes.length - 1
      if (kind === 0x2c) {
        pictures++
        // The descriptor, its colours, and the width of the first code.
        at = afterBlocks(bytes, at + 10 + tableBytes(bytes[at + 9] ?? 0) + 1)
      } else if (kind === 0x21) at = afterBlocks(bytes, at + 2)
      else return false
    }
    return false
  },
}

/** Bytes of the table of colours that a descriptor's flags announce. */
function tableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0
}

function afterBlocks(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]!
  return at + 1
}
