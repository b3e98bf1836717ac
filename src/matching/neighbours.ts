import { DotProducts, embeddingLength } from './dot-products.ts'

/** The most similar others of each embedding, best first; equals in the order of their numbers. */
export interface Neighbours {
  /** How many there are of each. */
  counts: Uint32Array
  /** Numbers, `most` places for each embedding. */
  others: Uint32Array
  /** Their similarities, at the same places. */
  similarities: Float32Array
  most: number
}

/** What an earlier search found among some of the same embeddings. */
export interface EarlierNeighbours {
  neighbours: Neighbours
  /** The number that each of its embeddings has now, in the same order; -1 where it is not there any more. */
  numbers: Int32Array
}

export interface NeighbourOptions {
  /** Lowest similarity of a neighbour. */
  threshold: number
  /** How many neighbours are kept of each. */
  most: number
  /**
   * Of the same threshold; of no use where it kept another number. Only what has changed since is compared, and the result
   * is that of a new search.
   */
  earlier?: EarlierNeighbours | undefined
}

/** Faces that are compared with all those behind them before progress is told of. */
const facesAtOnce = 32

/**
 * Exact nearest neighbours: every pair is compared once, and those that were compared before not at all.
 *
 * @param vectors embeddings of length 1, one after another
 * @param progress gets the share of the work that is done, 0 to 1
 */
export function findNeighbours(
  vectors: Float32Array,
  { threshold, most, earlier }: NeighbourOptions,
  progress: (done: number) => void = () => {},
): Neighbours {
  const faces = vectors.length / embeddingLength
  const neighbours = noNeighbours(faces, most)
  const { order, added, searched } =
    earlier?.neighbours.most === most ? takeOver(earlier, neighbours) : everything(faces)
  if (searched === 0) {
    progress(1)
    return neighbours
  }
  const vectorAt = (place: number) => {
    const start = order[place]! * embeddingLength
    return vectors.subarray(start, start + embeddingLength)
  }
  const products = new DotProducts(faces)
  for (let place = 0; place < faces; place++) products.set(place, vectorAt(place))
  const pairs = pairsOf(searched, faces)
  for (let first = 0; first < searched; first += facesAtOnce) {
    const some = Array.from({ length: Math.min(facesAtOnce, searched - first) }, (_, i) => vectorAt(first + i))
    const found = (face: number, otherPlace: number, similarity: number) => {
      const place = first + face
      if (otherPlace <= place) return
      insert(neighbours, order[place]!, order[otherPlace]!, similarity)
      // Whoever was searched for before already knows whom it had to do without.
      if (place < added || otherPlace < searched) insert(neighbours, order[otherPlace]!, order[place]!, similarity)
    }
    products.above(some, threshold, found, first)
    progress(pairsOf(Math.min(searched, first + facesAtOnce), faces) / pairs)
  }
  return neighbours
}

/** Pairs of which one is among the first so many. */
const pairsOf = (first: number, faces: number) => first * faces - (first * first) / 2

/** Faces in the order in which they are compared, each with those behind it. */
interface Search {
  order: Uint32Array
  /** The first so many are new: others may have to learn of them. */
  added: number
  /** The first so many are compared: after the new ones, those who have lost a neighbour that may have kept another one out. */
  searched: number
}

const everything = (faces: number): Search => ({
  order: Uint32Array.from({ length: faces }, (_, face) => face),
  added: faces,
  searched: faces,
})

/** Takes over the lists that still hold. */
function takeOver({ neighbours: before, numbers }: EarlierNeighbours, neighbours: Neighbours): Search {
  const { most, counts } = neighbours
  const groups: [added: number[], lacking: number[], settled: number[]] = [[], [], []]
  const known = new Int32Array(counts.length).fill(-1)
  for (const [former, face] of numbers.entries()) if (face >= 0) known[face] = former
  for (const [face, former] of known.entries()) {
    if (former < 0) {
      groups[0].push(face)
      continue
    }
    const kept = takeOverOne(before, former, numbers, neighbours, face)
    const isLacking = kept < before.counts[former]! && before.counts[former] === most
    if (isLacking) counts[face] = 0
    groups[isLacking ? 1 : 2].push(face)
  }
  const [added, lacking] = groups
  return { order: Uint32Array.from(groups.flat()), added: added.length, searched: added.length + lacking.length }
}

/** @returns how many of its neighbours are still there */
function takeOverOne(
  { counts, others, similarities, most }: Neighbours,
  former: number,
  numbers: Int32Array,
  neighbours: Neighbours,
  face: number,
): number {
  const start = face * most
  let at = start
  for (let from = former * most; from < former * most + counts[former]!; from++) {
    const other = numbers[others[from]!]!
    if (other < 0) continue
    neighbours.others[at] = other
    neighbours.similarities[at] = similarities[from]!
    at++
  }
  neighbours.counts[face] = at - start
  return at - start
}

const noNeighbours = (faces: number, most: number): Neighbours => ({
  counts: new Uint32Array(faces),
  others: new Uint32Array(faces * most),
  similarities: new Float32Array(faces * most),
  most,
})

/** Best first, equals in the order of their numbers. */
function insert({ counts, others, similarities, most }: Neighbours, face: number, other: number, similarity: number) {
  const start = face * most
  const isBehind = (at: number) =>
    similarities[at]! < similarity || (similarities[at] === similarity && others[at]! > other)
  let at = start + counts[face]!
  if (counts[face]! < most) counts[face]!++
  else if (!isBehind(--at)) return
  for (; at > start && isBehind(at - 1); at--) {
    others[at] = others[at - 1]!
    similarities[at] = similarities[at - 1]!
  }
  others[at] = other
  similarities[at] = similarity
}
