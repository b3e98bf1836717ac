import type { Measures, NodeMeasures, Observation, Phase } from '../../../src/planning/measures.ts'

/** A node as numbers, from which a trial is made up that it would give. */
export interface ModelNode {
  name: string
  workers: number
  /** Milliseconds that a worker has an image. */
  workMs: number
  /** Bytes per second of its link, in each direction. */
  link: number
  /** Images per second while others work as well; default: what it can do. */
  together?: number
}

export interface ModelImages {
  upBytes: number
  downBytes: number
  copyBytes: number
}

const images = 40

/** A trial of nodes that do exactly what workers and link let them. */
export function trialOf(nodes: readonly ModelNode[], each: ModelImages, changes: Partial<Measures> = {}): Measures {
  const rateAlone = ({ workers, workMs, link }: ModelNode) =>
    Math.min((1000 * workers) / workMs, link / Math.max(each.upBytes, each.downBytes))
  const together = phase(
    nodes.map((node) => [node, node.together ?? rateAlone(node)]),
    each,
  )
  return {
    nodes: nodes.map((node): NodeMeasures => {
      const { name, workers } = node
      const alone = phase([[node, rateAlone(node)]], each)
      return { name, workers, slots: 2 * workers, solo: [solo(node, each)], alone }
    }),
    together,
    reading: { images: 100, bytes: 100 * each.upBytes, seconds: 0.1 },
    startSeconds: 1,
    masterMemoryBytes: 2e8,
    ...changes,
  }
}

function solo({ workMs, link }: ModelNode, each: ModelImages): Observation {
  const wayMs = (1000 * (each.upBytes + each.downBytes)) / link
  return observation(0, 0, workMs + wayMs, workMs, each)
}

function phase(rates: [ModelNode, number][], each: ModelImages): Phase {
  const observations = new Map(
    rates.map(([{ name, workMs }, rate]) => [
      name,
      Array.from({ length: images }, (_, i) => {
        const endedMs = ((i + 1) * 1000) / rate
        return observation(i, Math.max(0, endedMs - workMs), endedMs, workMs, each)
      }),
    ]),
  )
  const untilMs = Math.min(...rates.map(([, rate]) => (images * 1000) / rate))
  return { observations, untilMs, masterBusy: 0.2, masterCpuMs: 100 }
}

function observation(
  index: number,
  startedMs: number,
  endedMs: number,
  workMs: number,
  { upBytes, downBytes, copyBytes }: ModelImages,
): Observation {
  const kept = { lineBytes: 300, pageBytes: 100, ledgerBytes: 1000 }
  const timings = { decodeMs: 0.3 * workMs, detectMs: 0.5 * workMs, encodeMs: 0.2 * workMs }
  return { image: `${index}`, bytes: upBytes, startedMs, endedMs, upBytes, downBytes, copyBytes, timings, ...kept }
}
