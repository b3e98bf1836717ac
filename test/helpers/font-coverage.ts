import { readFileSync } from 'node:fs'

/** Code points that a TrueType or OpenType file maps to a glyph: subtables 4 and 12 of its cmap. */
export function coverageOf(path: string): Set<number> {
  const file = readFileSync(path)
  const tables = Array.from({ length: file.readUInt16BE(4) }, (_, i) => 12 + 16 * i)
  const cmap = tables.find((at) => file.toString('latin1', at, at + 4) === 'cmap')
  if (cmap === undefined) throw new Error(`${path} has no cmap`)
  const base = file.readUInt32BE(cmap + 8)
  const covered = new Set<number>()
  for (let i = 0; i < file.readUInt16BE(base + 2); i++) {
    const table = file.subarray(base + file.readUInt32BE(base + 4 + 8 * i + 4))
    const format = table.readUInt16BE(0)
    if (format === 4) addSegments(table, covered)
    if (format === 12) addGroups(table, covered)
  }
  return covered
}

function addSegments(table: Buffer, covered: Set<number>): void {
  const bytes = table.readUInt16BE(6)
  for (let at = 0; at < bytes; at += 2) {
    const end = table.readUInt16BE(14 + at)
    const start = table.readUInt16BE(16 + bytes + at)
    const delta = table.readUInt16BE(16 + 2 * bytes + at)
    const offsetAt = 16 + 3 * bytes + at
    const offset = table.readUInt16BE(offsetAt)
    for (let code = start; code <= end; code++) {
      const glyph = offset === 0 ? code + delta : table.readUInt16BE(offsetAt + offset + 2 * (code - start))
      if ((glyph & 0xffff) !== 0 && code !== 0xffff) covered.add(code)
    }
  }
}

function addGroups(table: Buffer, covered: Set<number>): void {
  for (let i = 0; i < table.readUInt32BE(12); i++) {
    const [start, end] = [table.readUInt32BE(16 + 12 * i), table.readUInt32BE(20 + 12 * i)]
    for (let code = start; code <= end; code++) covered.add(code)
  }
}
