import type { Face } from '../protocol/messages.ts'

/** What a run keeps of a job: enough to write its lines again without inference. */
export interface JobRecord {
  width: number
  height: number
  faces: Face[]
  embeddings?: Float32Array[]
}

/** A JobRecord as it is kept, which is cheaper to hand to a thread than its many small objects. */
export interface EncodedRecord {
  /** JSON of all but the embeddings. */
  result: string
  /** Vectors of equal length, float32 little endian, one after another. */
  embeddings: Uint8Array | null
}

export function encodeRecord({ embeddings, ...rest }: JobRecord): EncodedRecord {
  return { result: JSON.stringify(rest), embeddings: embeddings ? encodeEmbeddings(embeddings) : null }
}

export function decodeRecord({ result, embeddings }: EncodedRecord): JobRecord {
  const record = JSON.parse(result) as JobRecord
  if (embeddings === null || record.faces.length === 0) return record
  const all = new Float32Array(Uint8Array.from(embeddings).buffer)
  const size = all.length / record.faces.length
  return { ...record, embeddings: record.faces.map((_, index) => all.subarray(index * size, (index + 1) * size)) }
}

function encodeEmbeddings(vectors: readonly Float32Array[]): Uint8Array {
  return Buffer.concat(vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)))
}
