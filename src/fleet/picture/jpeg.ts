import type { PictureReader } from './picture.ts'

const startOfScan = 0xda
const endOfImage = 0xd9
const end = Buffer.from([0xff, endOfImage])

export const jpeg: PictureReader = {
  signature: (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff,
  size(bytes) {
    for (const { marker, start, end } of segments(bytes)) {
      if (!isFrame(marker) || end - start < 6) continue
      return { width: bytes.readUInt16BE(start + 3), height: bytes.readUInt16BE(start + 1) }
    }
    return undefined
  },
  /** Segments and scans lead from the first byte to the marker of the end, which is last. */
  isWhole(bytes) {
    // Most have one scan: a look for its end is a fraction of a walk from marker to marker in it.
    const scan = firstScan(bytes)
    if (scan !== undefined && bytes.indexOf(end, scan) === bytes.length - end.length) return true
    let scans = 0
    for (const { marker, end } of segments(bytes)) {
      if (marker === startOfScan) scans++
      if (marker === endOfImage) return scans > 0 && end === bytes.length
    }
    return false
  },
}

/** Where its data begin. */
function firstScan(bytes: Buffer): number | undefined {
  for (const { marker, start } of segments(bytes, true)) if (marker === startOfScan) return start
  return undefined
}

interface Segment {
  marker: number
  /** Of what follows the length, and of the byte after the segment, a scan's data included. */
  start: number
  end: number
}

/** Ends where the structure breaks. @param headers the first scan's data are not looked at */
function* segments(bytes: Buffer, headers = false): Generator<Segment> {
  let at = 2
  while (at + 2 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === endOfImage) return yield { marker, start: at + 2, end: at + 2 }
    if (at + 4 > bytes.length) return
    const length = bytes.readUInt16BE(at + 2)
    const next = at + 2 + length
    if (length < 2 || next > bytes.length) return
    const end = marker === startOfScan && !headers ? endOfScan(bytes, next) : next
    yield { marker, start: at + 4, end }
    at = end
  }
}

/** A marker ends a scan; stuffed bytes and restarts are part of it. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]
    if (next !== 0 && !(next! >= 0xd0 && next! <= 0xd7) && next !== 0xff) return at
  }
  return bytes.length
}

/** Start of frame markers, without the tables that share their range. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}
