/** Commits one group of changes at a time: all that came while the last one was written make up the next. */
export class GroupCommit<Change> {
  readonly #commit: (changes: readonly Change[]) => Promise<void>
  #waiting: Change[] = []
  #next: PromiseWithResolvers<void> | undefined
  #working: Promise<void> | undefined

  /** @param commit makes changes durable, all or none */
  constructor(commit: (changes: readonly Change[]) => Promise<void>) {
    this.#commit = commit
  }

  /** Resolves when the changes are durable; those of one call are in one group. */
  add(...changes: Change[]): Promise<void> {
    this.#waiting.push(...changes)
    this.#next ??= Promise.withResolvers()
    this.#working ??= this.#work()
    return this.#next.promise
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working
  }

  async #work(): Promise<void> {
    while (this.#next) {
      // What is added by the same turn of the event loop belongs together.
      await new Promise((resolve) => setImmediate(resolve))
      const { resolve, reject } = this.#next
      const changes = this.#waiting
      this.#next = undefined
      this.#waiting = []
      await this.#commit(changes).then(resolve, reject)
    }
    this.#working = undefined
  }
}
