/** A field of a TIFF directory: numbers of 8, 16 or 32 bits, text, other directories, or data that lie elsewhere. */
export type Field = { tag: number } & (
  | { bytes: number[] }
  | { short: number[] }
  | { long: number[] }
  | { text: string }
  | { folders: Field[][] }
  | { data: Buffer }
)

/** A little-endian TIFF of one chain of directories. @param magic what follows its first two bytes */
export function writeTiff(chain: Field[][], magic = Buffer.from('*\0'), afterHeader: Buffer = Buffer.alloc(0)): Buffer {
  const pieces: Buffer[] = [afterHeader]
  let end = 8 + afterHeader.length
  const put = (piece: Buffer): number => {
    const at = end
    const even = piece.length % 2 === 0 ? piece : Buffer.concat([piece, Buffer.alloc(1)])
    pieces.push(even)
    end += even.length
    return at
  }
  const folder = (fields: Field[], next: number): number => {
    const ordered = fields.toSorted((a, b) => a.tag - b.tag)
    const entries = ordered.map((field) => {
      const { type, count, value } = encode(field, put, folder)
      const entry = Buffer.alloc(12)
      entry.writeUInt16LE(field.tag, 0)
      entry.writeUInt16LE(type, 2)
      entry.writeUInt32LE(count, 4)
      if (value.length <= 4) value.copy(entry, 8)
      else entry.writeUInt32LE(put(value), 8)
      return entry
    })
    return put(Buffer.concat([numbers([entries.length], 2), ...entries, numbers([next], 4)]))
  }
  const start = chain.reduceRight((next, fields) => folder(fields, next), 0)
  return Buffer.concat([Buffer.from('II'), magic, numbers([start], 4), ...pieces])
}

function encode(field: Field, put: (piece: Buffer) => number, folder: (fields: Field[], next: number) => number) {
  if ('bytes' in field) return { type: 1, count: field.bytes.length, value: Buffer.from(field.bytes) }
  if ('short' in field) return { type: 3, count: field.short.length, value: numbers(field.short, 2) }
  if ('text' in field) return { type: 2, count: field.text.length + 1, value: Buffer.from(`${field.text}\0`) }
  const long =
    'long' in field ? field.long : 'data' in field ? [put(field.data)] : field.folders.map((each) => folder(each, 0))
  return { type: 4, count: long.length, value: numbers(long, 4) }
}

function numbers(values: number[], width: 2 | 4): Buffer {
  const out = Buffer.alloc(values.length * width)
  for (const [index, value] of values.entries()) out.writeUIntLE(value, index * width, width)
  return out
}
