import { DotProducts, embeddingLength } from './dot-products.ts'

export interface GroupOptions {
  /** Lowest cosine of two faces that are taken for neighbours. */
  threshold: number
  neighbours?: number
  smallest?: number
}

/**
 * Groups faces by whom they may show: Chinese whispers (Biemann 2006) over the graph of neighbours, in a fixed order.
 *
 * @param vectors embeddings of length 1, one after another
 * @returns the group of each face, -1 for one without neighbours
 */
export function groupFaces(
  vectors: Float32Array,
  { threshold }: GroupOptions,
  progress?: (done: number) => void,
): Int32Array {
  const count = vectors.length / embeddingLength
  const faces = Array.from({ length: count }, (_, i) =>
    vectors.subarray(i * embeddingLength, (i + 1) * embeddingLength),
  )
  const products = new DotProducts(count)
  for (const [i, face] of faces.entries()) products.set(i, face)
  const neighbours: number[][] = faces.map(() => [])
  products.above(faces, threshold, (a, b) => {
    if (a !== b) neighbours[a]!.push(b)
  })
  progress?.(1)
  const labels = Int32Array.from(faces.keys())
  for (let round = 0; round < 20; round++) {
    for (const [face, others] of neighbours.entries()) {
      const votes = new Map<number, number>()
      for (const other of others) votes.set(labels[other]!, (votes.get(labels[other]!) ?? 0) + 1)
      labels[face] = [...votes].sort(([a, m], [b, n]) => n - m || a - b)[0]?.[0] ?? labels[face]!
    }
  }
  return labels.map((label, face) => (neighbours[face]!.length === 0 ? -1 : label))
}
