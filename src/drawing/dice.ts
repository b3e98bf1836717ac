import { randomOf } from '../common/random.ts'

/** Chance that is the same for the same seed. */
export class Dice {
  readonly #random: () => number

  /** @param seed any whole numbers; each of them counts */
  constructor(...seed: number[]) {
    this.#random = randomOf(mixed(seed))
  }

  between(low: number, high: number): number {
    return low + this.#random() * (high - low)
  }

  /** A whole number; both ends may come. */
  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1))
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  /** Around a middle, rarely further away than `reach` and never further than 1.5 of it. */
  around(middle: number, reach: number): number {
    return middle + (this.#random() + this.#random() + this.#random() - 1.5) * reach
  }

  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((item) => ({ item, order: this.#random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ item }) => item)
  }
}

function mixed(seed: number[]): number {
  let state = 0x9e3779b9
  for (const part of seed) {
    state = Math.imul(state ^ (part >>> 0), 0x85ebca6b)
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
    state ^= state >>> 16
  }
  return state
}
