import type { Face, Mark } from '../protocol/messages.ts'
import type { Match } from './match.ts'

/**
 * What is drawn for a face: name and similarity, a box alone for somebody unknown, and the detector's score where
 * nobody was to be named. Here for both sides: a node draws what it finds, and a master has drawn anew what changed.
 */
export function markOf({ box, score }: Pick<Face, 'box' | 'score'>, match: Match | undefined): Mark {
  if (!match) return { box, label: score.toFixed(2), kind: 'found' }
  const { person, similarity } = match
  if (person === null || similarity === null) return { box, label: '', kind: 'unknown' }
  return { box, label: `${person} ${similarity.toFixed(2)}`, kind: 'found' }
}
