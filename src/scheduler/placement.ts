/** A node as placement sees it. */
export interface Candidate {
  name: string
  /** Jobs it may still take. */
  free: number
  inFlight: number
  /** Measured jobs per second; undefined before its first result. */
  rate: number | undefined
}

/**
 * The node that is expected to finish one more job first. A node without a measurement counts as the best measured
 * one, so that it gets measured. Ties go to the emptier, then to the earlier node.
 * @param avoid nodes that already failed at this job; taken only when there is no other usable node
 * @returns undefined when every eligible node is full
 */
export function place(candidates: readonly Candidate[], avoid: ReadonlySet<string>): Candidate | undefined {
  const others = candidates.filter((candidate) => !avoid.has(candidate.name))
  const eligible = (others.length > 0 ? others : candidates).filter((candidate) => candidate.free > 0)
  const best = Math.max(0, ...candidates.map((candidate) => candidate.rate ?? 0)) || 1
  const finish = (candidate: Candidate) => (candidate.inFlight + 1) / (candidate.rate ?? best)
  return eligible.reduce<Candidate | undefined>(
    (chosen, candidate) => (chosen === undefined || finish(candidate) < finish(chosen) ? candidate : chosen),
    undefined,
  )
}

/** Jobs per second of one node, an exponentially weighted mean over its completions. */
export class Rate {
  #value: number | undefined
  #last: number | undefined
  readonly #halfLifeMs: number

  constructor(halfLifeMs = 10_000) {
    this.#halfLifeMs = halfLifeMs
  }

  /** Jobs per second, or undefined before the first completion. */
  get value(): number | undefined {
    return this.#value
  }

  /**
   * @param now milliseconds
   * @param serviceMs how long this job took on the node
   * @param parallel jobs that shared the node while it ran
   */
  completed(now: number, serviceMs: number, parallel: number): void {
    const sample = (1000 * parallel) / Math.max(1, serviceMs)
    const weight = this.#last === undefined ? 1 : 1 - 0.5 ** Math.max(0.05, (now - this.#last) / this.#halfLifeMs)
    this.#value = this.#value === undefined ? sample : this.#value + weight * (sample - this.#value)
    this.#last = now
  }
}
