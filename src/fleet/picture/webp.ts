import type { PictureReader, Size } from './picture.ts'

export const webp: PictureReader = {
  signature: (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  size(bytes) {
    if (bytes.length < 30) return undefined
    return sizes[bytes.toString('latin1', 12, 16)]?.(bytes)
  },
  /** Chunks fill the file as the header says, and one of them has pixels. */
  isWhole(bytes) {
    if (bytes.readUInt32LE(4) + 8 !== bytes.length) return false
    let [at, pixels] = [12, 0]
    while (at + 8 <= bytes.length) {
      if (/^(VP8 |VP8L|ANMF)$/.test(bytes.toString('latin1', at, at + 4))) pixels++
      const length = bytes.readUInt32LE(at + 4)
      at += 8 + length + (length % 2)
    }
    return pixels > 0 && at === bytes.length
  },
}

/** By the kind of the first chunk. */
const sizes: Record<string, (bytes: Buffer) => Size> = {
  VP8X: (bytes) => ({ width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }),
  'VP8 ': (bytes) => ({ width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }),
  VP8L: (bytes) => {
    const bits = bytes.readUInt32LE(21)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  },
}
