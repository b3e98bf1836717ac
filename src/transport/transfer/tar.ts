/*
 * Headers of the GNU format: its long names are what every tar reads, busybox's too.
 */

const blockBytes = 512
const maxNameBytes = 100

/** What comes before the bytes of a file in a tar stream. */
export function tarHeader({ path, bytes, mode, mtime }: TarFile): Buffer {
  const name = Buffer.from(path)
  const header = block(name.subarray(0, maxNameBytes), '0', bytes, mode, mtime)
  if (name.length <= maxNameBytes) return header
  const longName = Buffer.concat([name, Buffer.of(0)])
  const before = block(Buffer.from('././@LongLink'), 'L', longName.length, 0, 0)
  return Buffer.concat([before, longName, tarPadding(longName.length), header])
}

export interface TarFile {
  path: string
  bytes: number
  mode: number
  mtime: number
}

/** What comes after the bytes of a file. */
export function tarPadding(bytes: number): Buffer {
  return Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes)
}

/** What comes after the last file. */
export const tarEnd = Buffer.alloc(2 * blockBytes)

function block(name: Buffer, type: string, bytes: number, mode: number, mtime: number): Buffer {
  const header = Buffer.alloc(blockBytes)
  name.copy(header)
  const octal = (value: number, at: number, length: number): void =>
    void header.write(value.toString(8).padStart(length - 1, '0'), at)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(bytes, 124, 12)
  octal(Math.max(0, mtime), 136, 12)
  header.write(' '.repeat(8), 148)
  header.write(type, 156)
  header.write('ustar  \0', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
