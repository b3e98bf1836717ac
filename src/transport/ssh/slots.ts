/** A bound on how much happens at once; who waits is served in order. */
export class Slots {
  limit: number
  #taken = 0
  #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.limit = limit
  }

  get taken(): number {
    return this.#taken
  }

  /** Runs `work` as soon as there is a slot. A signal ends the waiting, not the work. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#take(signal)
    try {
      return await work()
    } finally {
      this.#taken--
      this.#admit()
    }
  }

  #take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      this.#waiting = this.#waiting.filter((waiter) => waiter !== enter)
      reject(signal?.reason)
    }
    const enter = (): void => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#waiting.push(enter)
    this.#admit()
    return promise
  }

  #admit(): void {
    while (this.#taken < this.limit && this.#waiting.length > 0) {
      this.#taken++
      this.#waiting.shift()!()
    }
  }
}
