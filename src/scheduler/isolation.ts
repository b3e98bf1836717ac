import type { Candidate } from './placement.ts'

/**
 * The node that is emptied for a job that may have taken an agent down, so that it runs there alone: the one that is
 * empty first. Nodes where that happened come last.
 * @returns undefined when no node is able to take anything now
 */
export function chooseWard<C extends Candidate>(
  candidates: readonly C[],
  failedOn: ReadonlySet<string>,
): C | undefined {
  const able = candidates.filter((candidate) => candidate.able)
  const others = able.filter((candidate) => !failedOn.has(candidate.name))
  // As for every other job: elsewhere is worth waiting for.
  const eligible = others.length > 0 ? others : candidates.every(({ name }) => failedOn.has(name)) ? able : []
  const secondsToEmpty = ({ inFlight, rate }: C) => inFlight / (rate ?? 1)
  return eligible.reduce<C | undefined>(
    (chosen, next) => (chosen === undefined || secondsToEmpty(next) < secondsToEmpty(chosen) ? next : chosen),
    undefined,
  )
}
