import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that changes nobody waits for may wait for others. */
const laterMs = 200

/** Commits one group of changes at a time: all that came while the last one was written make up the next. */
export class GroupCommit<Change> {
  readonly #commit: (changes: readonly Change[]) => Promise<void>
  readonly #spacingMs: number
  /** When the last group was begun. */
  #begun = Number.NEGATIVE_INFINITY
  #waiting: Change[] = []
  #next: PromiseWithResolvers<void> | undefined
  #working: Promise<void> | undefined
  /** Somebody waits for the next group. */
  #wanted = false
  #later: NodeJS.Timeout | undefined

  /**
   * @param commit makes changes durable, all or none
   * @param spacingMs least time from the beginning of a group to that of the next: in a steady stream groups are larger then
   * and cost less; after a pause a change does not wait
   */
  constructor(commit: (changes: readonly Change[]) => Promise<void>, spacingMs = 0) {
    this.#commit = commit
    this.#spacingMs = spacingMs
  }

  /** Resolves when the changes are durable; those of one call are in one group. */
  add(...changes: Change[]): Promise<void> {
    this.#waiting.push(...changes)
    this.#next ??= Promise.withResolvers()
    this.#begin()
    return this.#next.promise
  }

  /** The same for a change that nothing depends on: it goes with the next group, or by itself after a moment. */
  addLater(change: Change): Promise<void> {
    this.#waiting.push(change)
    this.#next ??= Promise.withResolvers()
    this.#later ??= setTimeout(() => this.#begin(), laterMs)
    return this.#next.promise
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#next) this.#begin()
    while (this.#working) await this.#working
  }

  #begin(): void {
    this.#wanted = true
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    while (this.#wanted) {
      // What is added by the same turn of the event loop belongs together.
      await new Promise((resolve) => setImmediate(resolve))
      const early = this.#begun + this.#spacingMs - performance.now()
      if (early > 0) await sleep(early)
      this.#begun = performance.now()
      const { resolve, reject } = this.#next!
      const changes = this.#waiting
      clearTimeout(this.#later)
      this.#later = undefined
      this.#wanted = false
      this.#next = undefined
      this.#waiting = []
      await this.#commit(changes).then(resolve, reject)
    }
    this.#working = undefined
  }
}
