/** One fault of a random run: on which node, after how many images, and how long one that lasts is left alone. */
export interface PlannedFault {
  fault: string
  node: number
  written: number
  lastsMs: number
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface PlanOptions {
  seed: number
  faults: number
  images: number
  nodes: number
  /** Names of the faults there are. */
  kinds: readonly string[]
}

/** Faults spread evenly over the run, all else by the seed. */
export function planFaults({ seed, faults, images, nodes, kinds }: PlanOptions): PlannedFault[] {
  const random = randomOf(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  return Array.from({ length: faults }, (_, index) => ({
    fault: kinds[below(kinds.length)]!,
    node: below(nodes),
    written: Math.floor(((index + random()) * images * 0.95) / faults),
    lastsMs: 200 + below(2800),
  }))
}
