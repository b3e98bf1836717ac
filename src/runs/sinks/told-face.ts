import type { Match } from '../../matching/match.ts'
import type { Face } from '../../protocol/messages.ts'
import type { JobRecord } from '../job-record.ts'

/** A face as results tell of it: with `person` and `similarity`, which are null where nobody could be named. */
export type ToldFace = Omit<Face, 'sharpness'> & Match

export function toldFaces({ faces }: JobRecord): ToldFace[] {
  return faces.map(({ sharpness: _, ...face }) => ({ person: null, similarity: null, ...face }))
}
