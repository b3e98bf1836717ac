/** An undirected graph with weights: of node n the places `starts[n]` to `starts[n + 1]`. */
export interface Graph {
  starts: Uint32Array
  others: Uint32Array
  weights: Float32Array
}

/** It settles within a few rounds or goes round in circles at a few nodes (Biemann 2006). */
const maxRounds = 30

/**
 * Chinese Whispers (C. Biemann: Chinese Whispers - an efficient graph clustering algorithm and its application to natural
 * language processing problems, TextGraphs 2006; dlib groups faces by it): every node starts as a class of its own, and in
 * a random order each takes the class that most weight among its neighbours is in, until nothing changes. The number of
 * classes comes of itself, and the time is linear in the edges. The order is drawn from a fixed seed and ties go to
 * the lower class, so that equal graphs have equal classes.
 *
 * @returns the class of each node, the number of one of its members or former members
 */
export function chineseWhispers({ starts, others, weights }: Graph): Uint32Array {
  const nodes = starts.length - 1
  const classes = Uint32Array.from({ length: nodes }, (_, node) => node)
  const order = classes.slice()
  const weightOf = new Float64Array(nodes)
  const random = xorshift(1)
  for (let round = 0, changed = true; changed && round < maxRounds; round++) {
    changed = false
    shuffle(order, random)
    for (const node of order) {
      const [start, end] = [starts[node]!, starts[node + 1]!]
      if (start === end) continue
      for (let at = start; at < end; at++) weightOf[classes[others[at]!]!]! += weights[at]!
      let best = classes[others[start]!]!
      for (let at = start; at < end; at++) {
        const candidate = classes[others[at]!]!
        const ahead = weightOf[candidate]! - weightOf[best]!
        if (ahead > 0 || (ahead === 0 && candidate < best)) best = candidate
      }
      for (let at = start; at < end; at++) weightOf[classes[others[at]!]!] = 0
      if (best !== classes[node]) {
        classes[node] = best
        changed = true
      }
    }
  }
  return classes
}

/** Fisher and Yates. */
function shuffle(numbers: Uint32Array, random: () => number): void {
  for (let i = numbers.length - 1; i > 0; i--) {
    const j = random() % (i + 1)
    const other = numbers[j]!
    numbers[j] = numbers[i]!
    numbers[i] = other
  }
}

/** 32-bit numbers (Marsaglia 2003). */
function xorshift(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
