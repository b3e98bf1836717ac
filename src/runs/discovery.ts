import type { Found } from './find-inputs.ts'
import type { GroupCommit } from './group-commit.ts'
import type { BegunRun, Input, KnownInput, Ledger, LedgerChange, NewInput } from './ledger.ts'
import { type RecogniseOptions, recognise } from './recognise.ts'

const batchSize = 500
const flushMs = 50

/** Fills the ledger's queue with what is found while the run already works: memory stays constant. */
export class Discovery {
  /** Found so far. */
  inputs = 0
  /** Of those that have to be looked at. */
  bytes = 0
  /** Finished by an earlier epoch, and still what they were. */
  skipped = 0
  ignored = 0
  /** Of those, pictures of kinds that no node reads, by extension. */
  readonly unread = new Map<string, number>()
  /** True when everything has been found. */
  complete = false
  readonly #ledger: Ledger
  readonly #commits: GroupCommit<LedgerChange>
  readonly #run: BegunRun
  readonly #options: RecogniseOptions
  #more = Promise.withResolvers<void>()

  constructor(ledger: Ledger, commits: GroupCommit<LedgerChange>, run: BegunRun, options: RecogniseOptions) {
    this.#ledger = ledger
    this.#commits = commits
    this.#run = run
    this.#options = options
  }

  /**
   * Reads `found` to its end or until the signal aborts.
   * @param onLeftOut told of each folder that is not looked into
   */
  async run(found: AsyncIterable<Found>, signal: AbortSignal, onLeftOut: (path: string, reason: string) => void) {
    let batch: NewInput[] = []
    let waiting = true
    let flushed = Promise.resolve()
    const flush = () => {
      const inputs = batch
      // One after another: the last one that resolves is the last one that was found.
      if (inputs.length > 0) flushed = flushed.then(() => this.#add(inputs))
      // Seen by whoever awaits it next.
      flushed.catch(() => {})
      batch = []
    }
    const timer = setInterval(flush, flushMs)
    try {
      for await (const item of found) {
        if (signal.aborted) break
        if (item.kind === 'ignored') this.#ignore(item.unread)
        else if (item.kind === 'left-out') onLeftOut(item.path, item.reason)
        else batch.push(item.input)
        // Nodes wait for the first ones: those that are known by now start at once.
        if (waiting && batch.length > 0) setImmediate(flush)
        if (batch.length > 0) waiting = false
        if (batch.length < batchSize) continue
        await flushed
        flush()
      }
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
      const batch = this.#ledger.queued(this.#run.id, after, batchSize)
      for (const input of batch) {
        after = input.seq
        yield input
      }
      if (batch.length > 0) continue
      if (complete) return
      await this.#more.promise
    }
  }

  #ignore(unread: string | undefined): void {
    this.ignored++
    if (unread !== undefined) this.unread.set(unread, (this.unread.get(unread) ?? 0) + 1)
  }

  async #add(inputs: NewInput[]): Promise<void> {
    const known = this.#known(inputs)
    const fresh = inputs.filter(({ name }) => !known.has(name))
    const old = inputs.filter(({ name }) => known.has(name))
    const again = (await Promise.all(old.map((input) => this.#recognise(input, known.get(input.name)!)))).filter(
      (change) => change !== undefined,
    )
    const found: LedgerChange[] = fresh.length > 0 ? [{ kind: 'found', inputs: fresh }] : []
    if (found.length + again.length > 0) await this.#commits.add(...found, ...again)
    this.inputs += inputs.length
    for (const { bytes } of [...fresh, ...again.map(({ input }) => input)]) this.bytes += bytes
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }

  #known(inputs: NewInput[]): Map<string, KnownInput> {
    if (this.#run.left === undefined) return new Map()
    return this.#ledger.known(
      this.#run.id,
      inputs.map(({ name }) => name),
    )
  }

  async #recognise(input: NewInput, known: KnownInput) {
    // In the queue already, or finished meanwhile.
    if (known.state === 'queued' || known.epoch === this.#run.epoch) return undefined
    const again = await recognise(input, known, this.#options)
    if (!again) this.skipped++
    return again
  }
}
