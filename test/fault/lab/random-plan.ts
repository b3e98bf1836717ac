import { randomOf } from '../../helpers/random.ts'

/** One fault of a random run: on which node, after how many images, and how long one that lasts is left alone. */
export interface PlannedFault {
  fault: string
  node: number
  written: number
  lastsMs: number
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
