/** Adds up how long the steps of a job take. */
export class Stopwatch {
  readonly #timings: Record<string, number> = {}

  /** Runs a step and counts its time under `name`. */
  async time<T>(name: string, step: () => T | Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await step()
    } finally {
      this.#timings[name] = (this.#timings[name] ?? 0) + performance.now() - start
    }
  }

  /** Milliseconds by step, to two decimals. */
  timings(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#timings).map(([name, ms]) => [name, Math.round(ms * 100) / 100]))
  }
}
