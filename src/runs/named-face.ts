import type { Face } from '../protocol/messages.ts'
import type { JobRecord } from './job-record.ts'

/** A face with who it is. */
export interface NamedFace extends Face {
  /** Name as it was enrolled; null for somebody unknown, and where nobody is enrolled. */
  person: string | null
  /** Cosine similarity to that person, -1 to 1; null without a person. */
  similarity: number | null
  /** A close call: people it may be, the likeliest first. */
  candidates?: { person: string; similarity: number }[]
}

/** The faces of a job, named as far as they are. */
export function namedFaces({ faces }: JobRecord): NamedFace[] {
  return faces.map((face) => ({ person: null, similarity: null, ...face }))
}
