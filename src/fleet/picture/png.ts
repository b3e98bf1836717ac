import { crc32 } from 'node:zlib'
import type { PictureReader } from './picture.ts'

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

export const png: PictureReader = {
  signature: (bytes) => bytes.subarray(0, 8).equals(signature),
  size: (bytes) =>
    bytes.length >= 24 && bytes.toString('latin1', 12, 16) === 'IHDR'
      ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
      : undefined,
  /** Chunks with right checksums from the header to the end chunk, which is last, and pixels in between. */
  isWhole(bytes) {
    let [at, pixels] = [8, 0]
    while (at + 12 <= bytes.length) {
      const end = at + 12 + bytes.readUInt32BE(at)
      const type = bytes.toString('latin1', at + 4, at + 8)
      if (end > bytes.length || (at === 8 && type !== 'IHDR')) return false
      if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return false
      if (type === 'IDAT') pixels++
      if (type === 'IEND') return pixels > 0 && end === bytes.length
      at = end
    }
    return false
  },
}
