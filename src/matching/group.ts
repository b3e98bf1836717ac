import { chineseWhispers, type Graph } from './chinese-whispers.ts'
import { embeddingLength } from './dot-products.ts'
import { type EarlierNeighbours, findNeighbours, type Neighbours } from './neighbours.ts'

export interface GroupOptions {
  /** Lowest similarity that links two faces; depends on the embedding model. */
  threshold: number
  /** A face is linked to as many others, the most similar ones, and to those that it is one of. */
  neighbours?: number
  /** Faces that a group has at least. */
  smallest?: number
}

/** Nodes whose person has thousands of photos still hang together with so many, as measured; memory grows with it. */
const defaultNeighbours = 32

/** Groups, and what they were made of. */
export interface GroupedFaces {
  /** The group of each face: 0 is the largest, equals are in the order of their first faces; -1 is none. */
  labels: Int32Array
  neighbours: Neighbours
}

/**
 * Groups faces by person: Chinese Whispers on the graph of their nearest neighbours, weighted by similarity.
 *
 * @param vectors embeddings of length 1, one after another
 * @param earlier neighbours that were found with the same options: what they say is not searched for again
 * @param progress gets the share of the work that is done, 0 to 1
 */
export function groupFaces(
  vectors: Float32Array,
  { threshold, neighbours: most = defaultNeighbours, smallest = 2 }: GroupOptions,
  { earlier, progress }: { earlier?: EarlierNeighbours | undefined; progress?: (done: number) => void } = {},
): GroupedFaces {
  if (vectors.length % embeddingLength !== 0) throw new RangeError(`${vectors.length} numbers are no embeddings`)
  const neighbours = findNeighbours(vectors, { threshold, most, earlier }, progress)
  return { labels: numberBySize(chineseWhispers(undirected(neighbours)), smallest), neighbours }
}

/** A link counts for both faces, also where only one has the other among its nearest. */
function undirected({ counts, others, similarities, most }: Neighbours): Graph {
  const faces = counts.length
  const isNeighbour = (face: number, of: number) => {
    for (let at = of * most; at < of * most + counts[of]!; at++) if (others[at] === face) return true
    return false
  }
  const oneWay = (visit: (face: number, other: number, at: number) => void) => {
    for (let face = 0; face < faces; face++) {
      for (let at = face * most; at < face * most + counts[face]!; at++) {
        if (!isNeighbour(face, others[at]!)) visit(face, others[at]!, at)
      }
    }
  }
  const starts = new Uint32Array(faces + 1)
  for (let face = 0; face < faces; face++) starts[face + 1] = counts[face]!
  oneWay((_, other) => {
    starts[other + 1]!++
  })
  for (let face = 0; face < faces; face++) starts[face + 1]! += starts[face]!
  const graph = {
    starts,
    others: new Uint32Array(starts[faces]!),
    weights: new Float32Array(starts[faces]!),
  }
  const ends = starts.slice(0, faces)
  const add = (face: number, other: number, at: number) => {
    graph.others[ends[face]!] = other
    graph.weights[ends[face]!] = similarities[at]!
    ends[face]!++
  }
  for (let face = 0; face < faces; face++) {
    for (let at = face * most; at < face * most + counts[face]!; at++) add(face, others[at]!, at)
  }
  oneWay((face, other, at) => add(other, face, at))
  return graph
}

function numberBySize(classes: Uint32Array, smallest: number): Int32Array {
  const sizes = new Map<number, number>()
  for (const name of classes) sizes.set(name, (sizes.get(name) ?? 0) + 1)
  // A Map keeps the order of the first faces, and sorting the order of equals.
  const groups = [...sizes].filter(([, size]) => size >= smallest).sort(([, a], [, b]) => b - a)
  const numberOf = new Map(groups.map(([name], number) => [name, number]))
  return Int32Array.from(classes, (name) => numberOf.get(name) ?? -1)
}
