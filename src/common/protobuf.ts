/** One field of a protobuf message. Numbers beyond 2^53 lose their low digits, which no field we read has. */
export interface Field {
  number: number
  /** Wire types varint and fixed. */
  value: number
  /** Wire type 2: shares the message's memory; empty for the others. */
  bytes: Uint8Array
  /** Where the field with its tag lies in the message. */
  start: number
  end: number
}

const empty = new Uint8Array(0)

/** The fields of a message in the order of the file. Throws a RangeError where the bytes are no message. */
export function* readFields(message: Uint8Array): Generator<Field> {
  let at = 0
  while (at < message.length) {
    const tag = readVarint(message, at)
    const number = Math.floor(tag.value / 8)
    const body = readBody(message, tag.end, tag.value % 8)
    if (number === 0) throw new RangeError(`field number 0 at byte ${at}`)
    yield { number, ...body, start: at }
    at = body.end
  }
}

interface Body {
  value: number
  bytes: Uint8Array
  end: number
}

function readBody(message: Uint8Array, at: number, wireType: number): Body {
  if (wireType === 0) return { ...readVarint(message, at), bytes: empty }
  if (wireType === 1) return { value: 0, bytes: empty, end: within(message, at, 8) }
  if (wireType === 5) return { value: 0, bytes: empty, end: within(message, at, 4) }
  if (wireType !== 2) throw new RangeError(`wire type ${wireType} at byte ${at}`)
  const length = readVarint(message, at)
  const end = within(message, length.end, length.value)
  return { value: 0, bytes: message.subarray(length.end, end), end }
}

/** A field of wire type 2. */
export function writeField(number: number, bytes: Uint8Array): Uint8Array[] {
  return [writeVarint(number * 8 + 2), writeVarint(bytes.length), bytes]
}

function writeVarint(value: number): Uint8Array {
  const bytes = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Uint8Array.from([...bytes, value])
}

function readVarint(message: Uint8Array, at: number): { value: number; end: number } {
  let value = 0
  for (let index = 0; index < 10; index++) {
    const byte = message[at + index]
    if (byte === undefined) throw new RangeError(`a number is cut off at byte ${at}`)
    value += (byte & 127) * 2 ** (7 * index)
    if (byte < 128) return { value, end: at + index + 1 }
  }
  throw new RangeError(`a number without end at byte ${at}`)
}

function within(message: Uint8Array, at: number, length: number): number {
  if (length > message.length - at) throw new RangeError(`${length} bytes at byte ${at} reach over the end`)
  return at + length
}
