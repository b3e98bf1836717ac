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

/** Faces that are compared with all those behind them before progress is told of. */
const facesAtOnce = 32

/**
 * Exact nearest neighbours: every pair is compared once.
 *
 * @param vectors embeddings of length 1, one after another
 * @param options.threshold lowest similarity of a neighbour
 * @param options.most how many neighbours are kept of each
 * @param progress gets the share of the work that is done, 0 to 1
 */
export function findNeighbours(
  vectors: Float32Array,
  { threshold, most }: { threshold: number; most: number },
  progress: (done: number) => void = () => {},
): Neighbours {
  const faces = vectors.length / embeddingLength
  const vectorOf = (face: number) => vectors.subarray(face * embeddingLength, (face + 1) * embeddingLength)
  const products = new DotProducts(faces)
  for (let face = 0; face < faces; face++) products.set(face, vectorOf(face))
  const neighbours = {
    counts: new Uint32Array(faces),
    others: new Uint32Array(faces * most),
    similarities: new Float32Array(faces * most),
    most,
  }
  for (let first = 0; first < faces; first += facesAtOnce) {
    const some = Array.from({ length: Math.min(facesAtOnce, faces - first) }, (_, i) => vectorOf(first + i))
    const found = (face: number, other: number, similarity: number) => {
      if (other <= first + face) return
      insert(neighbours, first + face, other, similarity)
      insert(neighbours, other, first + face, similarity)
    }
    products.above(some, threshold, found, first)
    // What is left are the pairs among those behind.
    progress(1 - Math.max(0, faces - first - facesAtOnce) ** 2 / faces ** 2)
  }
  return neighbours
}

/** Others come in ascending order, so that of equals the first stays ahead. */
function insert({ counts, others, similarities, most }: Neighbours, face: number, other: number, similarity: number) {
  const start = face * most
  let at = start + counts[face]!
  if (counts[face]! < most) counts[face]!++
  else if (similarity <= similarities[--at]!) return
  for (; at > start && similarities[at - 1]! < similarity; at--) {
    others[at] = others[at - 1]!
    similarities[at] = similarities[at - 1]!
  }
  others[at] = other
  similarities[at] = similarity
}
