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
  return { box, label: `${isolated(person)} ${similarity.toFixed(2)}`, kind: 'found' }
}

/**
 * A name whose direction is its own: whatever script it is in, what stands behind it stays behind it. A label that is too
 * long for its picture is shortened in here.
 */
const isolated = (name: string): string => `\u2068${name}\u2069`
