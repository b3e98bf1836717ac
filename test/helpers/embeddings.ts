/** Repeatable numbers from 0 to 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A direction of 128 components. */
export function randomEmbedding(random: () => number): Float32Array {
  return unit(Float32Array.from({ length: 128 }, () => random() + random() + random() - 1.5))
}

/** What is `similarity` like `to`, and otherwise random. */
export function embeddingNear(to: Float32Array, similarity: number, random: () => number): Float32Array {
  const other = randomEmbedding(random)
  const along = dot(other, to)
  const across = unit(other.map((value, i) => value - along * to[i]!))
  return unit(across.map((value, i) => similarity * to[i]! + Math.sqrt(1 - similarity ** 2) * value))
}

/** A direction that is like axis `i` by the i-th number, and otherwise like nothing else. */
export function towards(...similarities: number[]): Float32Array {
  const vector = new Float32Array(128)
  vector.set(similarities)
  vector[127 - (towardsCalls++ % 64)] = Math.sqrt(1 - similarities.reduce((sum, value) => sum + value * value, 0))
  return vector
}
let towardsCalls = 0

/** One after another. */
export function joined(vectors: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(vectors.length * 128)
  for (const [i, vector] of vectors.entries()) all.set(vector, i * 128)
  return all
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector))
  return vector.map((value) => value / length)
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}
