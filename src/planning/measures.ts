/** One image that one node looked at. Bytes are those of requests and answers, without what SSH adds. */
export interface Observation {
  /** Which image of the sample. */
  image: string
  /** Of the image's file. */
  bytes: number
  /** Milliseconds from the beginning of its phase. */
  startedMs: number
  endedMs: number
  upBytes: number
  downBytes: number
  /** Milliseconds that a worker had it, by step; undefined where the image could not be read. */
  timings: Record<string, number> | undefined
  /** What it would take in OUT: its copy, and in predictions.jsonl and in index.html; and in the ledger. */
  copyBytes: number
  lineBytes: number
  pageBytes: number
  ledgerBytes: number
}

/** Some time in which nodes always had something to do. */
export interface Phase {
  /** By node, in the order in which they ended. */
  observations: Map<string, Observation[]>
  /** When nobody got anything new any more, in milliseconds from the beginning. */
  untilMs: number
  /** How busy the master's main thread was, 0..1. */
  masterBusy: number
  /** Milliseconds of processors that the master took, all threads together. */
  masterCpuMs: number
}

/** What a trial has measured of one node. */
export interface NodeMeasures {
  name: string
  workers: number
  /** Jobs it had at once. */
  slots: number
  /** One image after another: what is not the worker's time is that of the way. */
  solo: Observation[]
  /** While the others had nothing to do. */
  alone: Phase
}

export interface Measures {
  nodes: NodeMeasures[]
  /** All nodes at once. */
  together: Phase
  /** Reading the sample from its disk, before anything else had read it. */
  reading: { images: number; bytes: number; seconds: number }
  /** Until the first node could work. */
  startSeconds: number
  /** Of the master's process. */
  masterMemoryBytes: number
}

/** Milliseconds that a worker had an image. */
export function workMs({ timings }: Observation): number | undefined {
  return timings && Object.values(timings).reduce((sum, each) => sum + each, 0)
}

/**
 * Images per second of a node that always had `slots` of them: what ended after the first round, until there was nothing
 * new any more.
 */
export function rateOf(observations: readonly Observation[], slots: number, untilMs: number): number {
  const all = observations.map(({ endedMs }) => endedMs).toSorted((a, b) => a - b)
  const inTime = all.filter((ended) => ended <= untilMs)
  const ended = inTime.length >= 2 ? inTime : all
  if (ended.length === 0) return 0
  const first = Math.min(slots, Math.floor(ended.length / 3))
  const fromMs = first === 0 ? 0 : ended[first - 1]!
  const milliseconds = ended.at(-1)! - fromMs
  return milliseconds > 0 ? (1000 * (ended.length - first)) / milliseconds : (1000 * ended.length) / ended.at(-1)!
}

/** Mean of what `value` tells of some of the items; undefined where it tells nothing of any. */
export function meanOf<T>(items: Iterable<T>, value: (item: T) => number | undefined): number | undefined {
  const values = [...items].map(value).filter((each) => each !== undefined)
  return values.length === 0 ? undefined : values.reduce((sum, each) => sum + each, 0) / values.length
}

export function sumOf<T>(items: Iterable<T>, value: (item: T) => number): number {
  let sum = 0
  for (const item of items) sum += value(item)
  return sum
}
