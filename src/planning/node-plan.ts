import { type Measures, meanOf, type NodeMeasures, type Observation, rateOf, sumOf, workMs } from './measures.ts'

/** Workers that have less to do than this, as a part of their time, wait for their images. */
export const starved = 0.75

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
  const aloneBusy = aloneMs === undefined ? 1 : (aloneRate * aloneMs) / 1000 / workers
  const linkBytesPerSecond = capacityOf(node, aloneRate * widerBytes(lonely), aloneBusy)
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
 * Where workers waited although the node had as much as it takes, the link carried all that it can. Elsewhere it can carry more,
 * and an image that was alone tells how much: it went there and its answer came back one after the other, in what the worker did
 * not need. Both directions are taken to be alike.
 * @param carried bytes per second, in the direction that had more of them
 */
function capacityOf({ solo }: NodeMeasures, carried: number, workersBusy: number): number {
  if (workersBusy < starved && carried > 0) return carried
  const wayMs = sumOf(solo, (one) => Math.max(0.1, one.endedMs - one.startedMs - (workMs(one) ?? 0)))
  const oneByOne = (1000 * sumOf(solo, ({ upBytes, downBytes }) => upBytes + downBytes)) / Math.max(1, wayMs)
  return Math.max(oneByOne, carried, 1)
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
