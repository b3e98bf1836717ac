import type { Match } from '../matching/match.ts'
import type { Face } from '../protocol/messages.ts'
import type { Labelled } from './labelled.ts'

/** A face and who it is: the names that its picture has. Runs of an older cpn have none. */
export type NamedFace = Face & Partial<Match>

/** What a run keeps of a job: enough to write its lines again, and to name its faces again, without inference. */
export interface JobRecord extends Labelled {
  width: number
  height: number
  faces: NamedFace[]
  /** One per face, of length 1. */
  embeddings?: Float32Array[]
  /** Small JPEGs: of the picture without marks, and of each face. */
  thumbnail?: Uint8Array
  crops?: Uint8Array[]
}

/** A JobRecord as it is kept, which is cheaper to hand to a thread than its many small objects. */
export interface EncodedRecord {
  /** JSON of all but embeddings and JPEGs, and of the lengths of crops. */
  result: string
  /** Vectors of equal length, float32 little endian, one after another. */
  embeddings: Uint8Array | null
  thumbnail: Uint8Array | null
  /** One after another. */
  crops: Uint8Array | null
}

export function encodeRecord({ embeddings, thumbnail, crops, ...rest }: JobRecord): EncodedRecord {
  return {
    result: JSON.stringify(crops ? { ...rest, cropBytes: crops.map(({ length }) => length) } : rest),
    embeddings: embeddings ? encodeEmbeddings(embeddings) : null,
    thumbnail: thumbnail ?? null,
    crops: crops ? Buffer.concat(crops) : null,
  }
}

/** What a query did not ask for may be left out. */
export function decodeRecord(encoded: Pick<EncodedRecord, 'result'> & Partial<EncodedRecord>): JobRecord {
  const { cropBytes, ...record } = JSON.parse(encoded.result) as JobRecord & { cropBytes?: number[] }
  const { embeddings, thumbnail, crops } = encoded
  return {
    ...record,
    ...(embeddings && record.faces.length > 0 ? { embeddings: cutEmbeddings(embeddings, record.faces.length) } : {}),
    ...(thumbnail ? { thumbnail } : {}),
    ...(crops && cropBytes ? { crops: cut(crops, cropBytes) } : {}),
  }
}

/**
 * A record that does not tell any more what the faces at these positions look like: embeddings of nothing, which no
 * gallery has, empty crops, and no thumbnail of the picture.
 */
export function withoutTraces({ thumbnail: _, ...record }: JobRecord, positions: readonly number[]): JobRecord {
  const forgotten = new Set(positions)
  const { embeddings, crops } = record
  return {
    ...record,
    ...(embeddings
      ? { embeddings: embeddings.map((v, i) => (forgotten.has(i) ? new Float32Array(v.length) : v)) }
      : {}),
    ...(crops ? { crops: crops.map((crop, i) => (forgotten.has(i) ? new Uint8Array() : crop)) } : {}),
  }
}

/** Of a face whose looks are not known any more. */
export const isForgotten = (embedding: Float32Array): boolean => embedding.every((value) => value === 0)

function encodeEmbeddings(vectors: readonly Float32Array[]): Uint8Array {
  return Buffer.concat(vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)))
}

function cutEmbeddings(bytes: Uint8Array, count: number): Float32Array[] {
  const all = new Float32Array(Uint8Array.from(bytes).buffer)
  const size = all.length / count
  return Array.from({ length: count }, (_, index) => all.subarray(index * size, (index + 1) * size))
}

function cut(bytes: Uint8Array, lengths: number[]): Uint8Array[] {
  let end = 0
  return lengths.map((length) => {
    end += length
    return bytes.subarray(end - length, end)
  })
}
