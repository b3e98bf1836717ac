/** A picture that may be tried. */
export interface Candidate {
  /** Absolute path. */
  source: string
  bytes: number
  /** Extension without a dot, in lower case. */
  format: string
}

/** Keeps so many items of a stream of any length, each with the same probability (Vitter's algorithm R). */
export class Reservoir<T> {
  readonly items: T[] = []
  readonly #size: number
  readonly #random: () => number
  #seen = 0

  constructor(size: number, random: () => number) {
    this.#size = size
    this.#random = random
  }

  add(item: T): void {
    this.#seen++
    if (this.items.length < this.#size) this.items.push(item)
    else {
      const place = Math.floor(this.#random() * this.#seen)
      if (place < this.#size) this.items[place] = item
    }
  }
}

/**
 * Every n-th of the candidates in the order of format and size, from a random beginning on: each format and each size
 * comes as often as it is there, so that plain means are means of all. In random order.
 */
export function stratifiedSample(candidates: readonly Candidate[], size: number, random: () => number): Candidate[] {
  const ordered = candidates.toSorted(
    (a, b) => compare(a.format, b.format) || a.bytes - b.bytes || compare(a.source, b.source),
  )
  if (ordered.length <= size) return shuffled(ordered, random)
  const step = ordered.length / size
  const first = random() * step
  const chosen = Array.from({ length: size }, (_, index) => ordered[Math.floor(first + index * step)]!)
  return shuffled(chosen, random)
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}
