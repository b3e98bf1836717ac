/** How far an embedding's length may be from 1: float32 is off by a thousandth of that. */
const tolerance = 1e-3

/** True for numbers of length 1: what is a cosine's due. False where some are none. */
export function isUnit(vector: Float32Array): boolean {
  const squares = vector.reduce((sum, value) => sum + value * value, 0)
  return Math.abs(squares - 1) <= 2 * tolerance
}
