/** Milliseconds of a clock that never goes back. */
export type Clock = () => number

const sliceMs = 1000
const slicesKept = 60

interface Slice {
  busyMs: number
  finished: number
}

/**
 * Images per second, by the time in which there was work: finished jobs over busy time, over the last minute of it.
 * This is the one place that defines the figure.
 */
export class RateMeter {
  readonly #clock: Clock
  #slices: Slice[] = []
  #inWork = 0
  #since = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  started(): void {
    this.#account()
    this.#inWork += 1
  }

  /** @param counts false for a job that ended without an outcome of its own, such as a crash */
  ended(counts: boolean): void {
    this.#account()
    this.#inWork -= 1
    if (counts) this.#slice().finished += 1
  }

  imagesPerSecond(): number {
    this.#account()
    const busyMs = this.#slices.reduce((sum, slice) => sum + slice.busyMs, 0)
    const finished = this.#slices.reduce((sum, slice) => sum + slice.finished, 0)
    return busyMs === 0 ? 0 : (finished * 1000) / busyMs
  }

  #account(): void {
    const now = this.#clock()
    if (this.#inWork > 0) this.#slice().busyMs += now - this.#since
    this.#since = now
  }

  /** The slice being filled; a full one makes room for the next. */
  #slice(): Slice {
    const last = this.#slices.at(-1)
    if (last && last.busyMs < sliceMs) return last
    const next = { busyMs: 0, finished: 0 }
    this.#slices = [...this.#slices, next].slice(-slicesKept)
    return next
  }
}
