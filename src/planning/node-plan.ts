import { type Measures, meanOf, type NodeMeasures, type Observation, rateOf, sumOf, workMs } from './measures.ts'

/** What a node did in the trial, and what of the run will be its. */
export interface NodePlan {
  name: string
  workers: number
  /** Images per second while the others had nothing to do, and while all worked. */
  alone: number
  together: number
  /** Images per second that its workers could do, if images were always there. */
  able: number
  /** Of the run, 0..1. */
  share: number
  /** How busy its workers and its link were while all worked, 0..1. */
  workersBusy: number
  linkBusy: number
  /** What its link carries in a direction, as far as the trial could see: a link that waited carries more. */
  linkBytesPerSecond: number
  /** Of the run, over its link. */
  upBytes: number
  downBytes: number
  /** Milliseconds of a worker's time per image, by step. */
  timings: Record<string, number>
  /** Milliseconds that a worker had an image while all nodes worked, against those while the others had nothing to do. */
  slowedBy: number
}

export function planNode(
  node: NodeMeasures,
  { together }: Measures,
): Omit<NodePlan, 'share' | 'upBytes' | 'downBytes'> {
  const { name, workers, slots, alone } = node
  const lonely = alone.observations.get(name) ?? []
  const social = together.observations.get(name) ?? []
  const aloneRate = rateOf(lonely, slots, alone.untilMs)
  const rate = social.length === 0 ? 0 : rateOf(social, slots, together.untilMs)
  const aloneMs = meanOf(lonely, workMs)
  const togetherMs = meanOf(social, workMs) ?? aloneMs
  const linkBytesPerSecond = capacityOf(node, aloneRate, lonely)
  return {
    name,
    workers,
    alone: aloneRate,
    together: rate,
    able: aloneMs ? (1000 * workers) / aloneMs : aloneRate,
    workersBusy: share((rate * (togetherMs ?? 0)) / 1000 / workers),
    linkBusy: share((rate * widerBytes(social.length > 0 ? social : lonely)) / linkBytesPerSecond),
    linkBytesPerSecond,
    timings: meanTimings(lonely),
    slowedBy: aloneMs && togetherMs ? togetherMs / aloneMs : 1,
  }
}

/**
 * Both directions are taken to be alike. An image that was alone went there and its answer came back one after the other,
 * in what the worker did not need; of many, the direction with more of them was the one that was waited for.
 */
function capacityOf({ solo }: NodeMeasures, rate: number, lonely: readonly Observation[]): number {
  const wayMs = sumOf(solo, (one) => Math.max(0.1, one.endedMs - one.startedMs - (workMs(one) ?? 0)))
  const oneByOne = wayMs > 0 ? (1000 * sumOf(solo, ({ upBytes, downBytes }) => upBytes + downBytes)) / wayMs : 0
  return Math.max(oneByOne, rate * widerBytes(lonely), 1)
}

/** Bytes per image in the direction that has more of them. */
function widerBytes(observations: readonly Observation[]): number {
  const up = meanOf(observations, ({ upBytes }) => upBytes) ?? 0
  return Math.max(up, meanOf(observations, ({ downBytes }) => downBytes) ?? 0)
}

const share = (value: number) => Math.min(1, value)

function meanTimings(observations: readonly Observation[]): Record<string, number> {
  const told = observations.filter(({ timings }) => timings !== undefined)
  const steps = new Set(told.flatMap(({ timings }) => Object.keys(timings!)))
  return Object.fromEntries([...steps].map((step) => [step, meanOf(told, ({ timings }) => timings![step] ?? 0)!]))
}
