/** A box of an ISO media file (HEIF: HEIC and AVIF). */
export interface Box {
  kind: string
  /** Of what is in it, and of the byte after it. */
  start: number
  end: number
}

/** The brands that a file begins with say one of these; `ftyp` is its first box. */
export function hasBrand(bytes: Buffer, pattern: RegExp): boolean {
  if (bytes.toString('latin1', 4, 8) !== 'ftyp' || bytes.length < 12) return false
  return pattern.test(bytes.toString('latin1', 8, Math.min(bytes.readUInt32BE(0), 256)))
}

/** Boxes side by side; ends where the structure breaks. */
export function* boxes(bytes: Buffer, from: number, to: number): Generator<Box> {
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
export function* boxesAt(bytes: Buffer, [kind, ...rest]: string[], from = 0, to = bytes.length): Generator<Box> {
  for (const box of boxes(bytes, from, to)) {
    if (box.kind !== kind) continue
    // `meta` begins with version and flags.
    if (rest.length > 0) yield* boxesAt(bytes, rest, box.start + (kind === 'meta' ? 4 : 0), box.end)
    else yield box
  }
}
