/** A number of the given bytes, big-endian. */
export function number(value: number, bytes = 4): Buffer {
  const out = Buffer.alloc(bytes)
  out.writeUIntBE(value, 0, bytes)
  return out
}

/** A box of an ISO media file. */
export function box(kind: string, ...content: Buffer[]): Buffer {
  const length = content.reduce((sum, { length }) => sum + length, 8)
  return Buffer.concat([number(length), Buffer.from(kind), ...content])
}

/** A box that begins with version and flags. */
export function fullBox(kind: string, version: number, flags: number, ...content: Buffer[]): Buffer {
  return box(kind, number(version, 1), number(flags, 3), ...content)
}
