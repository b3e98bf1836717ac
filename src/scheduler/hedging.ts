import type { Attempt } from './task.ts'

/** Extra attempts for the sake of the tail, as a share of all jobs; one is always allowed. */
const budgetShare = 0.05
/** A copy has to be this much faster to be worth it. */
const gain = 1.3

/** Whether another copy is within the budget. */
export function mayHedge(hedges: number, jobs: number): boolean {
  return hedges < Math.max(1, Math.floor(budgetShare * jobs))
}

/**
 * Milliseconds that an attempt is expected to take on. One that has taken longer than expected is likely to take half
 * as long again.
 */
export function remainingMs({ started, expectedMs = 0 }: Attempt, now: number): number {
  const elapsed = now - started
  return Math.max(expectedMs - elapsed, elapsed / 2)
}

/**
 * The attempt that is expected to end last of those that a copy would overtake.
 * @param copyMs milliseconds that a copy of it would take on another node that is free; undefined where there is none
 */
export function chooseHedge(
  attempts: readonly Attempt[],
  now: number,
  copyMs: (attempt: Attempt) => number | undefined,
): Attempt | undefined {
  const worth = attempts.filter((attempt) => {
    const copy = copyMs(attempt)
    return copy !== undefined && gain * copy < remainingMs(attempt, now)
  })
  return worth.reduce<Attempt | undefined>(
    (last, next) => (last === undefined || remainingMs(next, now) > remainingMs(last, now) ? next : last),
    undefined,
  )
}

/** Milliseconds until an attempt that goes on would be worth a copy that takes `copyMs`. */
export function untilHedgeMs({ started }: Attempt, now: number, copyMs: number): number {
  return started + 2 * gain * copyMs - now
}
