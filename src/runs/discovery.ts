import type { Found } from './find-inputs.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Input, Ledger, LedgerChange, NewInput } from './ledger.ts'

const batchSize = 500
const flushMs = 50

/** Fills the ledger's queue with what is found while the run already works: memory stays constant. */
export class Discovery {
  inputs = 0
  bytes = 0
  ignored = 0
  /** True when everything has been found. */
  complete = false
  readonly #ledger: Ledger
  readonly #commits: GroupCommit<LedgerChange>
  readonly #run: string
  #more = Promise.withResolvers<void>()

  constructor(ledger: Ledger, commits: GroupCommit<LedgerChange>, run: string) {
    this.#ledger = ledger
    this.#commits = commits
    this.#run = run
  }

  /**
   * Reads `found` to its end or until the signal aborts.
   * @param onLeftOut told of each folder that is not looked into
   */
  async run(found: AsyncIterable<Found>, signal: AbortSignal, onLeftOut: (path: string, reason: string) => void) {
    let batch: NewInput[] = []
    let flushed = Promise.resolve()
    const flush = () => {
      if (batch.length > 0) flushed = this.#add(batch)
      // Seen by whoever awaits it next.
      flushed.catch(() => {})
      batch = []
    }
    // The first pictures start at once, however many other files come between them and the next.
    const timer = setInterval(flush, flushMs)
    try {
      for await (const item of found) {
        if (signal.aborted) break
        if (item.kind === 'ignored') this.ignored++
        else if (item.kind === 'left-out') onLeftOut(item.path, item.reason)
        else batch.push(item.input)
        if (batch.length < batchSize) continue
        await flushed
        flush()
      }
      await flushed
      flush()
      await flushed
    } finally {
      clearInterval(timer)
      this.complete = true
      this.#more.resolve()
    }
  }

  /** The run's queued inputs in order of discovery; ends when all were given out. */
  async *queued(): AsyncGenerator<Input> {
    let after = 0
    for (;;) {
      const { complete } = this
      const batch = this.#ledger.queued(this.#run, after, batchSize)
      for (const input of batch) {
        after = input.seq
        yield input
      }
      if (batch.length > 0) continue
      if (complete) return
      await this.#more.promise
    }
  }

  async #add(inputs: NewInput[]): Promise<void> {
    await this.#commits.add({ kind: 'found', run: this.#run, inputs })
    this.inputs += inputs.length
    this.bytes += inputs.reduce((sum, input) => sum + input.bytes, 0)
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }
}
