import type { CpnError } from '../common/errors.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import { differenceOf } from './agreement.ts'
import type { NodeResult } from './scheduler.ts'

/** What one node says about a job: a result, or that the image cannot be used. */
export interface Vote {
  node: string
  /** Number of the attempt. */
  attempt: number
  build: string | undefined
  opinion: { result: NodeResult } | { error: CpnError }
  milliseconds: number
}

/**
 * decided: `kept` counts, `wrong` are other opinions. undecided: the same, but nobody knows whether it is right.
 * more: somebody else has to be asked; with `repeat` one who was asked already.
 */
export type Count =
  | { state: 'decided'; kept: Vote; wrong: Vote[]; difference: string }
  | { state: 'undecided'; kept: Vote; difference: string }
  | { state: 'more'; repeat: boolean }

/** More opinions than these make nothing clearer. */
const maxVotes = 5

/**
 * Counts what nodes say about one job. Two different nodes that agree decide. Where only two can be asked, one of them
 * is asked once more: if it changes its mind it was wrong; if it does not, nobody can tell.
 * @param othersLeft whether a node can be asked that was not yet
 */
export function countVotes(votes: readonly Vote[], othersLeft: boolean, pipeline: Pipeline): Count {
  const groups = group(votes, pipeline)
  const largest = groups.reduce((best, next) => (next.length > best.length ? next : best))
  const kept = largest[0]!
  const wrong = votes.filter((vote) => !largest.includes(vote))
  const difference = wrong[0] ? (differenceOf(kept, wrong[0], pipeline) ?? '') : ''
  if (new Set(largest.map(({ node }) => node)).size >= 2) return { state: 'decided', kept, wrong, difference }
  // Nobody contradicts, and nobody is left to confirm.
  if (votes.length === 1 && !othersLeft) return { state: 'decided', kept, wrong, difference }
  const repeated = new Set(votes.map(({ node }) => node)).size < votes.length
  if (votes.length >= maxVotes || (!othersLeft && repeated)) return { state: 'undecided', kept, difference }
  return { state: 'more', repeat: !othersLeft }
}

function group(votes: readonly Vote[], pipeline: Pipeline): Vote[][] {
  const groups: Vote[][] = []
  for (const vote of votes) {
    const found = groups.find(([first]) => differenceOf(first!, vote, pipeline) === undefined)
    if (found) found.push(vote)
    else groups.push([vote])
  }
  return groups
}
