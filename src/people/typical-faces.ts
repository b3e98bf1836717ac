import { dotProduct } from '../matching/dot-products.ts'

/** Faces that are compared with each other: of a larger group those nearest to its middle. */
const compared = 400

/**
 * The faces by which a group is told best, the most typical first: each next one is that which makes all faces most similar
 * to some chosen one (facility location, greedily), so that near copies of a photo count once.
 * @param faces with embeddings of length 1
 */
export function typicalFaces<Face extends { embedding: Float32Array }>(faces: readonly Face[], most: number): Face[] {
  const some = nearestToMiddle(faces, Math.max(compared, most))
  const covered = some.map(() => -1)
  const rest = new Set(some.keys())
  const chosen: Face[] = []
  const products = some.map(({ embedding: a }) => Float64Array.from(some, ({ embedding: b }) => dotProduct(a, b)))
  while (chosen.length < most && rest.size > 0) {
    let best = -1
    let gain = -1
    for (const i of rest) {
      const row = products[i]!
      let sum = 0
      for (let j = 0; j < row.length; j++) if (row[j]! > covered[j]!) sum += row[j]! - covered[j]!
      if (sum > gain) [best, gain] = [i, sum]
    }
    rest.delete(best)
    chosen.push(some[best]!)
    for (const [j, product] of products[best]!.entries()) covered[j] = Math.max(covered[j]!, product)
  }
  return chosen
}

function nearestToMiddle<Face extends { embedding: Float32Array }>(faces: readonly Face[], most: number): Face[] {
  if (faces.length <= most) return [...faces]
  const middle = new Float32Array(faces[0]!.embedding.length)
  for (const { embedding } of faces) for (let i = 0; i < middle.length; i++) middle[i]! += embedding[i]!
  return faces
    .map((face) => ({ face, near: dotProduct(face.embedding, middle) }))
    .sort((a, b) => b.near - a.near)
    .slice(0, most)
    .map(({ face }) => face)
}
