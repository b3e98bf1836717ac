const defaultHalfLifeMs = 10_000
/** A completion weighs at least as if this share of a half-life had passed since the last one. */
const leastShare = 0.05

/** What a node does, as exponentially weighted means over its completions: jobs per second and their size. */
export class Rate {
  #value: number | undefined
  #bytes = 0
  #last = 0
  readonly #halfLifeMs: number

  constructor(halfLifeMs = defaultHalfLifeMs) {
    this.#halfLifeMs = halfLifeMs
  }

  /** Jobs per second with all workers busy, or undefined before the first completion. */
  get value(): number | undefined {
    return this.#value
  }

  /**
   * @param now milliseconds
   * @param serviceMs how long the job took, its way there and back included
   * @param parallel jobs that shared the node meanwhile, on average: with Little's law that makes the rate
   */
  completed(now: number, serviceMs: number, parallel: number, bytes: number): void {
    const sample = (1000 * parallel) / Math.max(1, serviceMs)
    const weight =
      this.#value === undefined ? 1 : 1 - 0.5 ** Math.max(leastShare, (now - this.#last) / this.#halfLifeMs)
    this.#value = mix(this.#value ?? sample, sample, weight)
    this.#bytes = mix(this.#bytes, bytes, weight)
    this.#last = now
  }

  /**
   * Milliseconds that a job will take when it is one of `parallel`; undefined before the first completion. Half of an
   * image's cost goes with its size in bytes.
   */
  expectedMs(parallel: number, bytes: number): number | undefined {
    if (this.#value === undefined) return undefined
    const relative = this.#bytes === 0 ? 1 : bytes / this.#bytes
    return ((1000 * parallel) / this.#value) * Math.min(4, 0.5 + 0.5 * relative)
  }
}

const mix = (old: number, sample: number, weight: number) => old + weight * (sample - old)
