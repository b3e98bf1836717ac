import type { AppliedRun } from '../actions/people/apply-people.ts'

/** What naming a run again came to, in a line. */
export function tellApplied({ out, changed, redrawn, left, unwritten }: AppliedRun): string {
  const drawn = `${redrawn} pictures drawn anew${left.length > 0 ? `, ${left.length} could not be` : ''}`
  const results = unwritten.length > 0 ? `, ${unwritten.length} results not written` : ''
  return `${changed} photos changed, ${drawn}${results} · ${out}`
}

/** Whether all that shows names shows the present ones. */
export const isWhole = ({ left, unwritten }: AppliedRun): boolean => left.length + unwritten.length === 0
