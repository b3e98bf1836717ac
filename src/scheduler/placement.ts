/** A node as placement sees it. */
export interface Candidate {
  name: string
  /** Jobs it may take just now. */
  free: number
  inFlight: number
  /** Jobs it works on at the same time; what is beyond waits there. */
  workers: number
  /** Measured jobs per second; undefined before its first result. */
  rate: number | undefined
  /** False while it gets nothing on purpose: it is no help for what has to be done soon. */
  able: boolean
}

/**
 * The node that is expected to finish one more job first. A node without a measurement counts as the best measured
 * one, so that it gets measured. Ties go to the emptier, then to the earlier node.
 * @param avoid nodes that already failed at this job; taken only when there is no other usable node
 * @param left jobs that wait or are still to come, this one included; undefined while nobody knows. At the end of a run
 *   a slow node gets no job that the others together would be done with before it.
 * @returns undefined when every eligible node is full or too slow
 */
export function place<C extends Candidate>(
  candidates: readonly C[],
  avoid: ReadonlySet<string>,
  left?: number,
): C | undefined {
  const others = candidates.filter((candidate) => !avoid.has(candidate.name))
  const eligible = (others.length > 0 ? others : candidates).filter((candidate) => candidate.free > 0)
  const best = Math.max(0, ...candidates.map((candidate) => candidate.rate ?? 0)) || 1
  const finish = (candidate: C) => secondsToFinish(candidate, candidate.rate ?? best)
  const chosen = eligible.reduce<C | undefined>(
    (chosen, candidate) => (chosen === undefined || finish(candidate) < finish(chosen) ? candidate : chosen),
    undefined,
  )
  if (!chosen || left === undefined) return chosen
  const help = (others.length > 0 ? others : candidates).filter((other) => other !== chosen && other.able)
  return finish(chosen) > secondsToFinishAll(help, left) ? undefined : chosen
}

function secondsToFinish({ inFlight, workers }: Candidate, rate: number): number {
  return Math.max(inFlight + 1, workers) / rate
}

/** When these nodes would be done with what they have and `left` more jobs; never, where nothing was measured. */
function secondsToFinishAll(nodes: readonly Candidate[], left: number): number {
  const measured = nodes.filter(({ rate }) => rate !== undefined)
  const rate = measured.reduce((sum, node) => sum + node.rate!, 0)
  if (rate === 0) return Number.POSITIVE_INFINITY
  const inFlight = measured.reduce((sum, node) => sum + node.inFlight, 0)
  // The last job takes its own time, however many share the rest.
  const one = Math.min(...measured.map((node) => node.workers / node.rate!))
  return Math.max((inFlight + left) / rate, one)
}
