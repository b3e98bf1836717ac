const most = 6

/** A damaged copy: a few bits, bytes, pieces and numbers are not what they were. The same for the same `random`. */
export function mutate(bytes: Uint8Array, random: () => number): Buffer {
  let damaged: Buffer = Buffer.from(bytes)
  const times = 1 + below(random, most)
  for (let time = 0; time < times; time++) damaged = changes[below(random, changes.length)]!(damaged, random)
  return damaged
}

const endBytes = 4096

/** The same of a file that is told by its beginning and its end: what lies between stays. */
export function mutateEnds(bytes: Buffer, random: () => number): Buffer {
  const [start, end] = [bytes.subarray(0, endBytes), bytes.subarray(-endBytes)]
  const between = bytes.subarray(start.length, Math.max(start.length, bytes.length - end.length))
  const first = random() < 0.5
  return Buffer.concat([first ? mutate(start, random) : start, between, first ? end : mutate(end, random)])
}

type Change = (bytes: Buffer, random: () => number) => Buffer

const changes: Change[] = [
  // A bit.
  (bytes, random) => at(bytes, random, (place) => bytes.writeUInt8(bytes[place]! ^ (1 << below(random, 8)), place)),
  // A byte.
  (bytes, random) => at(bytes, random, (place) => bytes.writeUInt8(below(random, 256), place)),
  // A number at one of its limits.
  (bytes, random) =>
    at(bytes, random, (place) => {
      const limit = [0, 0xff, 0x7f, 0x80, 1][below(random, 5)]!
      bytes.fill(limit, place, Math.min(bytes.length, place + [1, 2, 4, 8][below(random, 4)]!))
    }),
  // The end is missing.
  (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1)),
  // A piece is missing.
  (bytes, random) => {
    const [from, to] = range(bytes, random)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  // A piece comes twice.
  (bytes, random) => {
    const [from, to] = range(bytes, random)
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
  },
  // Something comes in between.
  (bytes, random) => {
    const place = below(random, bytes.length + 1)
    const more = Buffer.from(Array.from({ length: 1 + below(random, 64) }, () => below(random, 256)))
    return Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)])
  },
]

function at(bytes: Buffer, random: () => number, change: (place: number) => void): Buffer {
  if (bytes.length > 0) change(below(random, bytes.length))
  return bytes
}

/** A piece of at most 256 bytes. */
function range(bytes: Buffer, random: () => number): [number, number] {
  const from = below(random, bytes.length + 1)
  return [from, Math.min(bytes.length, from + below(random, 256))]
}

/** A whole number from 0 to limit - 1. */
export function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit)
}

/** One of several. */
export function oneOf<T>(random: () => number, all: readonly T[]): T {
  return all[below(random, all.length)]!
}
