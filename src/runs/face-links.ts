import type { Neighbours } from '../matching/neighbours.ts'
import type { FaceRef } from './group-ledger.ts'

/** A face that was compared. */
export interface LinkedFace extends FaceRef {
  /** Of its embedding's bits: a photo that was inferred again may have another one. */
  print: number
}

/** Who is like whom among the faces of a run that were grouped last. It does not depend on names, so it is kept. */
export interface FaceLinks {
  faces: LinkedFace[]
  neighbours: Neighbours
}

/** FaceLinks as they are kept: only the places that are taken. */
export interface EncodedLinks {
  /** JSON: [digest of the photo, position of the face, print] of each. */
  faces: string
  /** How many neighbours a face can have. */
  most: number
  /** Neighbours of each face; unsigned, 32 bits, little endian, as are numbers of faces. */
  counts: Uint8Array
  /** One after another. */
  others: Uint8Array
  /** float32, little endian, at the same places. */
  similarities: Uint8Array
}

/** FNV-1a over the 32-bit words of an embedding, 0 to 2³² - 1. */
export function printOf(embedding: Float32Array): number {
  let print = 0x811c9dc5
  for (const word of new Uint32Array(embedding.buffer, embedding.byteOffset, embedding.length)) {
    print = Math.imul(print ^ word, 0x01000193)
  }
  return print >>> 0
}

export function encodeLinks({ faces, neighbours }: FaceLinks): EncodedLinks {
  const { counts, most } = neighbours
  const taken = counts.reduce((sum, count) => sum + count, 0)
  const others = new Uint32Array(taken)
  const similarities = new Float32Array(taken)
  let end = 0
  for (const [face, count] of counts.entries()) {
    const start = face * most
    others.set(neighbours.others.subarray(start, start + count), end)
    similarities.set(neighbours.similarities.subarray(start, start + count), end)
    end += count
  }
  return {
    faces: JSON.stringify(faces.map(({ job, face, print }) => [job, face, print])),
    most,
    counts: bytesOf(counts),
    others: bytesOf(others),
    similarities: bytesOf(similarities),
  }
}

/** Throws SyntaxError or RangeError for what encodeLinks has not made. */
export function decodeLinks({ most, ...encoded }: EncodedLinks): FaceLinks {
  const faces = (JSON.parse(encoded.faces) as [string, number, number][]).map(([job, face, print]) => ({
    job,
    face,
    print,
  }))
  const counts = new Uint32Array(bufferOf(encoded.counts))
  const others = new Uint32Array(faces.length * most)
  const similarities = new Float32Array(faces.length * most)
  const takenOthers = new Uint32Array(bufferOf(encoded.others))
  const takenSimilarities = new Float32Array(bufferOf(encoded.similarities))
  let end = 0
  for (const [face, count] of counts.entries()) {
    others.set(takenOthers.subarray(end, end + count), face * most)
    similarities.set(takenSimilarities.subarray(end, end + count), face * most)
    end += count
  }
  return { faces, neighbours: { counts, others, similarities, most } }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength)

// SQLite's own may begin anywhere.
const bufferOf = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer
