import type { PictureReader, Size } from './picture.ts'

export const avif: PictureReader = {
  signature(bytes) {
    if (bytes.toString('latin1', 4, 8) !== 'ftyp' || bytes.length < 12) return false
    return bytes.toString('latin1', 8, Math.min(bytes.readUInt32BE(0), 256)).includes('avi')
  },
  /** Of the largest picture in the file: tiles, alpha and thumbnails have sizes of their own, none of them larger. */
  size(bytes) {
    let largest: Size | undefined
    for (const { start } of boxesAt(bytes, ['meta', 'iprp', 'ipco', 'ispe'])) {
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

interface Box {
  kind: string
  /** Of what is in it, and of the byte after it. */
  start: number
  end: number
}

/** Boxes side by side; ends where the structure breaks. */
function* boxes(bytes: Buffer, from: number, to: number): Generator<Box> {
  let at = from
  while (at + 8 <= to) {
    const size = bytes.readUInt32BE(at)
    const isLarge = size === 1 && at + 16 <= to
    const length = isLarge ? Number(bytes.readBigUInt64BE(at + 8)) : size === 0 ? to - at : size
    const start = at + (isLarge ? 16 : 8)
    const end = at + length
    if (end < start || end > to) return
    yield { kind: bytes.toString('latin1', at + 4, at + 8), start, end }
    at = end
  }
}

/** Boxes at a path of kinds. */
function* boxesAt(bytes: Buffer, [kind, ...rest]: string[], from = 0, to = bytes.length): Generator<Box> {
  for (const box of boxes(bytes, from, to)) {
    if (box.kind !== kind) continue
    // `meta` begins with version and flags.
    if (rest.length > 0) yield* boxesAt(bytes, rest, box.start + (kind === 'meta' ? 4 : 0), box.end)
    else if (box.end - box.start >= 12) yield box
  }
}
