import { formatBytes, formatRate } from '../common/format.ts'
import type { Measures } from './measures.ts'
import { type NodePlan, starved } from './node-plan.ts'

/**
 * What a run would wait for. link: the way to a node; processors: the nodes' own; master: this machine's; inputs: the disk that
 * they are read from; uplink: what all links have in common.
 */
export interface Bottleneck {
  kind: 'link' | 'processors' | 'master' | 'inputs' | 'uplink'
  /** The nodes that it is about. */
  nodes: string[]
  text: string
  help: string
}

/** From here on something counts as always busy: a trial is short, and beginnings are slow. */
const busy = 0.85
/** A part of what the nodes did alone; below it they get into each other's way. */
const together = 0.8
/** Where nodes are not in each other's way, a link that keeps its node waiting is seen through more noise: it carried few images. */
const mostly = 0.5
/** A worker that does less than this part of what the fastest does is worth a word. */
const slow = 0.5

/** Names what keeps the nodes of a trial from being faster. Needs one node at least. */
export function bottleneckOf(nodes: readonly NodePlan[], measures: Measures, annotates: boolean): Bottleneck {
  const rate = nodes.reduce((sum, node) => sum + node.together, 0)
  const alone = nodes.reduce((sum, node) => sum + node.alone, 0)
  const sharing = rate < together * alone
  return (
    masters(rate, nodes, measures) ??
    inputs(rate, measures) ??
    links(nodes, sharing ? together : mostly, annotates) ??
    (sharing ? shared(rate, alone, nodes) : undefined) ??
    processors(nodes, annotates)
  )
}

function masters(rate: number, nodes: readonly NodePlan[], { together }: Measures): Bottleneck | undefined {
  const able = nodes.reduce((sum, node) => sum + node.able, 0)
  if (together.masterBusy < busy || rate > starved * able) return undefined
  return {
    kind: 'master',
    nodes: [],
    text: `the processor of this machine: ${percent(together.masterBusy)} busy; the nodes could do ${formatRate(able)} images/s, it keeps up with ${formatRate(rate)}`,
    help: 'run cpn on a faster machine, or on one that does nothing else; --annotate none leaves it less to do',
  }
}

function inputs(rate: number, { reading }: Measures): Bottleneck | undefined {
  const able = reading.seconds > 0 ? reading.images / reading.seconds : Number.POSITIVE_INFINITY
  if (rate < busy * able) return undefined
  return {
    kind: 'inputs',
    nodes: [],
    text: `the disk of the inputs: it reads ${formatBytes(reading.bytes / reading.seconds)}/s, ${formatRate(able)} images/s`,
    help: 'copy them to a faster disk, or run cpn on the machine that has them',
  }
}

/** Together they do less than each by itself, so there is something that they share. */
function shared(rate: number, alone: number, nodes: readonly NodePlan[]): Bottleneck | undefined {
  if (nodes.length < 2) return undefined
  const slowed = nodes.reduce((sum, node) => sum + node.share * node.slowedBy, 0)
  const about = `${formatRate(rate)} images/s together, ${formatRate(alone)} if each worked alone`
  if (slowed > 1 / together) {
    return {
      kind: 'processors',
      nodes: nodes.map(({ name }) => name),
      text: `the processors of the nodes: they share some; ${about}`,
      help: 'hosts on one machine are no faster together; use machines of their own',
    }
  }
  if (nodes.every(({ workersBusy }) => workersBusy >= starved)) return undefined
  return {
    kind: 'uplink',
    nodes: nodes.map(({ name }) => name),
    text: `the network of this machine, which all links share: ${about}`,
    help: 'run cpn where the network is faster; --annotate none lets less come back',
  }
}

/**
 * Links that keep their nodes waiting and carry what they did alone, if that is much of what the fleet could do.
 * @param atLeast how busy such a link is, 0..1
 */
function links(nodes: readonly NodePlan[], atLeast: number, annotates: boolean): Bottleneck | undefined {
  const waiting = nodes
    .filter(({ workersBusy, linkBusy }) => workersBusy < starved && linkBusy >= atLeast)
    .toSorted((a, b) => gain(b) - gain(a))
  const [first] = waiting
  const rate = nodes.reduce((sum, node) => sum + node.together, 0)
  if (!first || waiting.reduce((sum, node) => sum + gain(node), 0) < 0.1 * rate) return undefined
  const others =
    waiting.length > 1
      ? ` (and those of ${waiting
          .slice(1)
          .map(({ name }) => name)
          .join(', ')})`
      : ''
  const down = first.downBytes / (first.upBytes + first.downBytes)
  return {
    kind: 'link',
    nodes: waiting.map(({ name }) => name),
    text:
      `${first.name}’s link${others}: ${percent(first.linkBusy)} busy with ${formatBytes(first.linkBytesPerSecond)}/s; ` +
      `the node could do ${formatRate(first.able)} images/s, the link carries ${formatRate(first.together)}`,
    help:
      annotates && down > 0.2
        ? `--annotate none spares ${percent(down)} of the bytes; else a faster link`
        : 'a faster link, or hosts nearer to the images: most of the bytes are the images themselves',
  }
}

const gain = ({ able, together }: NodePlan) => able - together

function processors(nodes: readonly NodePlan[], annotates: boolean): Bottleneck {
  const perWorker = ({ able, workers }: NodePlan) => able / workers
  const fastest = nodes.reduce((best, node) => (perWorker(node) > perWorker(best) ? node : best))
  const slowest = nodes
    .filter((node) => perWorker(node) < slow * perWorker(fastest))
    .toSorted((a, b) => perWorker(a) - perWorker(b))
  const said = slowest.slice(0, 3).map((node) => `${node.name} does ${formatRate(perWorker(node))} images/s per worker`)
  const comparison = `${said.join(', ')} where ${fastest.name} does ${formatRate(perWorker(fastest))}`
  const drawing = drawingShare(nodes)
  return {
    kind: 'processors',
    nodes: (slowest.length > 0 ? slowest : nodes).map(({ name }) => name),
    text: `the processors of the nodes${slowest.length > 0 ? `: ${comparison}` : ''}`,
    help:
      slowest.length > 0
        ? `look at what else ${slowest[0]!.name} does: cpn run-remote ${slowest[0]!.name} -- uptime`
        : `more nodes, or ones with more cores${annotates && drawing > 0.1 ? `; --annotate none spares ${percent(drawing)} of their time` : ''}`,
  }
}

/** Of the workers' time, what the annotated copies take. */
function drawingShare(nodes: readonly NodePlan[]): number {
  const total = (steps: readonly string[] | undefined) =>
    nodes.reduce((sum, { timings, share }) => {
      const told = Object.entries(timings).filter(([step]) => steps?.includes(step) ?? true)
      return sum + share * told.reduce((all, [, milliseconds]) => all + milliseconds, 0)
    }, 0)
  const all = total(undefined)
  return all > 0 ? total(['annotateMs', 'encodeMs']) / all : 0
}

const percent = (share: number) => `${Math.round(100 * share)} %`
