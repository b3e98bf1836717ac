import type { Ledger, LedgerChange } from './ledger.ts'

/** Collects changes for a few milliseconds and commits them together: one fsync serves all of them. */
export class GroupCommit {
  readonly #ledger: Ledger
  #waiting: LedgerChange[] = []
  #next: PromiseWithResolvers<void> | undefined

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Resolves when the changes are durable. */
  add(...changes: LedgerChange[]): Promise<void> {
    this.#waiting.push(...changes)
    if (!this.#next) {
      this.#next = Promise.withResolvers()
      setTimeout(() => this.#flush(), 5)
    }
    return this.#next.promise
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#next) await this.#next.promise.catch(() => {})
  }

  #flush(): void {
    const { resolve, reject } = this.#next!
    const changes = this.#waiting
    this.#next = undefined
    this.#waiting = []
    try {
      this.#ledger.commit(changes)
      resolve()
    } catch (error) {
      reject(error)
    }
  }
}
