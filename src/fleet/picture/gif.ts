import type { PictureReader } from './picture.ts'

export const gif: PictureReader = {
  signature: (bytes) => /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6)),
  /** That of the screen, if pictures fill it: decoders do not agree on any other. */
  size(bytes) {
    if (bytes.length < 13) return undefined
    const [width, height] = [bytes.readUInt16LE(6), bytes.readUInt16LE(8)]
    let [right, bottom] = [0, 0]
    for (const at of blocks(bytes)) {
      if (bytes[at] !== picture || at + 9 > bytes.length) continue
      right = Math.max(right, bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 5))
      bottom = Math.max(bottom, bytes.readUInt16LE(at + 3) + bytes.readUInt16LE(at + 7))
    }
    return right === width && bottom === height ? { width, height } : undefined
  },
  /** Blocks lead from the header to the trailer, which is last, and there is a picture among them. */
  isWhole(bytes) {
    const all = [...blocks(bytes)]
    const last = all.at(-1)
    return last === bytes.length - 1 && bytes[last] === trailer && all.some((at) => bytes[at] === picture)
  },
}

const picture = 0x2c
const extension = 0x21
const trailer = 0x3b

/** Where each block begins, up to the trailer or to what is no block. */
function* blocks(bytes: Buffer): Iterable<number> {
  for (let at = 13 + tableBytes(bytes[10] ?? 0); at < bytes.length; ) {
    const kind = bytes[at]
    if (kind !== picture && kind !== extension && kind !== trailer) return
    yield at
    if (kind === trailer) return
    // A picture's descriptor, its colours, and the width of the first code come before its pieces.
    at = afterBlocks(bytes, kind === picture ? at + 10 + tableBytes(bytes[at + 9] ?? 0) + 1 : at + 2)
  }
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
