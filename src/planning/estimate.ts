import { type Bottleneck, bottleneckOf } from './bottleneck.ts'
import { type Measures, meanOf, type Observation, sumOf, workMs } from './measures.ts'
import { type NodePlan, planNode } from './node-plan.ts'

/** What is expected, and between which bounds it is in 19 of 20 samples like this one. */
export interface Interval {
  expected: number
  low: number
  high: number
}

export interface Work {
  /** Images that are to be looked at, and the bytes of their files. */
  images: number
  bytes: number
  /** Images that index.html lists. */
  listed: number
  annotates: boolean
}

export interface Estimate {
  /** As summary.json counts them: from when a node can work to the end. */
  seconds: Interval
  /** Until a node can work. */
  startSeconds: number
  imagesPerSecond: number
  /** Over all links. */
  upBytes: Interval
  downBytes: Interval
  /** In OUT: copies, and predictions.jsonl with index.html; and in the state folder. */
  copyBytes: Interval
  resultsBytes: number
  ledgerBytes: number
  masterMemoryBytes: number
  /** Milliseconds of this machine's processors per image, and how busy its main thread was, 0..1. */
  masterCpuMs: number
  masterBusy: number
  readBytesPerSecond: number
  bottleneck: Bottleneck
  nodes: NodePlan[]
  /** Different images that were tried, and those of them that could not be read. */
  tried: number
  unreadable: number
}

const resamples = 1000
/** Parts that the trial is cut into to see how much its pace varies. */
const blocks = 8

/**
 * Predicts a run from what a trial has measured: means and ratios of the sample for all that is to be done, and intervals by
 * Efron's bootstrap. They say how far the sample may be from the whole; a machine that somebody else uses
 * in the meantime is another matter. Needs one node that worked.
 * @param random uniform in [0, 1): the same for the same seed
 */
export function estimate(work: Work, measures: Measures, random: () => number): Estimate {
  const { together, reading } = measures
  const all = [...together.observations.values()].flat()
  const images = oncePerImage([
    ...measures.nodes.flatMap(({ name, alone }) => alone.observations.get(name) ?? []),
    ...all,
  ])
  // A sample that is the whole tells it without a doubt.
  const doubt = Math.sqrt(Math.max(0, 1 - images.length / Math.max(1, work.images)))
  const spread = (draw: () => number) => intervalOf(Array.from({ length: resamples }, draw))
  const ratio = (value: (observation: Observation) => number) => {
    const of = (some: readonly Observation[]) =>
      sumOf(some, value) /
      Math.max(
        1,
        sumOf(some, ({ bytes }) => bytes),
      )
    const expected = of(images)
    return scaled(
      spread(() => expected + doubt * (of(drawn(images, random)) - expected)),
      expected,
      work.bytes,
    )
  }
  const each = (value: (observation: Observation) => number) => meanOf(images, value) ?? 0
  const upBytes = work.bytes + each(({ upBytes, bytes }) => upBytes - bytes) * work.images
  const downBytes = ratio((one) => one.downBytes)
  const parts = measures.nodes.map((node) => planNode(node, measures))
  const rate = sumOf(parts, (part) => part.together)
  const nodes = parts.map((part) => {
    const share = part.together / rate
    return { ...part, share, upBytes: share * upBytes, downBytes: share * downBytes.expected }
  })
  const bottleneck = bottleneckOf(nodes, measures, work.annotates)
  const cost = relativeCosts(measures, bottleneck.kind === 'link' || bottleneck.kind === 'uplink')
  const pace = relativePace(all, together.untilMs)
  const working = work.images / rate
  const time = spread(() => {
    const dearer = meanOf(drawn(cost, random), (one) => one) ?? 1
    const slower = meanOf(drawn(pace, random), (one) => one) ?? 1
    return working * (1 + doubt * (dearer - 1)) * slower
  })
  return {
    seconds: shifted(time, working, firstSeconds(measures, nodes)),
    startSeconds: measures.startSeconds,
    imagesPerSecond: rate,
    upBytes: { expected: upBytes, low: upBytes, high: upBytes },
    downBytes,
    copyBytes: ratio((one) => one.copyBytes),
    resultsBytes: each(({ lineBytes }) => lineBytes) * work.images + each(({ pageBytes }) => pageBytes) * work.listed,
    ledgerBytes: each(({ ledgerBytes }) => ledgerBytes) * work.images,
    masterMemoryBytes: measures.masterMemoryBytes,
    masterCpuMs: together.masterCpuMs / Math.max(1, all.length),
    masterBusy: together.masterBusy,
    readBytesPerSecond: reading.seconds > 0 ? reading.bytes / reading.seconds : 0,
    bottleneck,
    nodes,
    tried: images.length,
    unreadable: images.filter(({ timings }) => timings === undefined).length,
  }
}

/** Until the first images are back nothing has ended. */
function firstSeconds(measures: Measures, nodes: readonly NodePlan[]): number {
  const shares = new Map(nodes.map(({ name, share }) => [name, share]))
  const milliseconds = ({ startedMs, endedMs }: Observation) => endedMs - startedMs
  return sumOf(measures.nodes, ({ name, solo }) => (shares.get(name)! * (meanOf(solo, milliseconds) ?? 0)) / 1000)
}

/** Several nodes, or one several times, may have looked at the same image. */
function oncePerImage(observations: readonly Observation[]): Observation[] {
  return [...new Map(observations.map((one) => [one.image, one])).values()]
}

/** How dear each image is for what the run waits for, relative to the mean on the node that looked at it. */
function relativeCosts({ nodes }: Measures, byBytes: boolean): number[] {
  const costs = new Map<string, number[]>()
  for (const { name, alone } of nodes) {
    const observations = alone.observations.get(name) ?? []
    const cost = (one: Observation) => (byBytes ? Math.max(one.upBytes, one.downBytes) : workMs(one))
    const mean = meanOf(observations, cost)
    for (const one of observations) {
      const value = cost(one)
      if (mean && value !== undefined) costs.set(one.image, [...(costs.get(one.image) ?? []), value / mean])
    }
  }
  return [...costs.values()].map((values) => meanOf(values, (value) => value)!)
}

/** How long equal parts of the trial took, relative to their mean: what varies although the images are alike in number. */
function relativePace(observations: readonly Observation[], untilMs: number): number[] {
  const ended = observations.map(({ endedMs }) => endedMs).filter((at) => at <= untilMs)
  ended.sort((a, b) => a - b)
  const count = Math.min(blocks, Math.floor(ended.length / 4))
  if (count < 2) return [1]
  // The first part is that in which the nodes had nothing yet.
  const edges = Array.from({ length: count + 1 }, (_, i) => ended[Math.round((i * (ended.length - 1)) / count)]!)
  const lengths = edges.slice(1).map((edge, index) => edge - edges[index]!)
  const mean = meanOf(lengths, (length) => length)!
  return mean > 0 ? lengths.map((length) => length / mean) : [1]
}

function drawn<T>(items: readonly T[], random: () => number): T[] {
  return items.map(() => items[Math.floor(random() * items.length)]!)
}

/** Of what many samples would say, the middle 19 of 20. */
function intervalOf(values: number[]): { low: number; high: number } {
  values.sort((a, b) => a - b)
  return { low: values[Math.floor(0.025 * values.length)]!, high: values[Math.floor(0.975 * values.length)]! }
}

function scaled({ low, high }: { low: number; high: number }, expected: number, by: number): Interval {
  return { expected: expected * by, low: Math.min(low, expected) * by, high: Math.max(high, expected) * by }
}

function shifted({ low, high }: { low: number; high: number }, expected: number, by: number): Interval {
  return { expected: expected + by, low: Math.min(low, expected) + by, high: Math.max(high, expected) + by }
}
