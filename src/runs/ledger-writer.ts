import { CpnError } from '../common/errors.ts'
import type { LedgerChange } from './ledger.ts'
import { Thread } from './thread.ts'

/** Writes to a ledger from a thread of its own, so that no fsync keeps the event loop waiting. */
export class LedgerWriter implements AsyncDisposable {
  readonly #file: string
  readonly #thread: Thread<readonly LedgerChange[], void>

  /** @param file the ledger, which exists */
  constructor(file: string) {
    this.#file = file
    this.#thread = new Thread('ledger-thread', file)
  }

  /** Resolves when the changes are durable. Rejects with CPN_ERR_STATE_DIR, and none of them is made then. */
  async commit(changes: readonly LedgerChange[]): Promise<void> {
    await this.#thread.ask(changes).catch((cause: Error) => {
      throw new CpnError('CPN_ERR_STATE_DIR', `the ledger ${this.#file} cannot be written: ${cause.message}`, {
        cause,
        suggestions: ['Free space there and check its permissions; then run the same command again.'],
      })
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#thread[Symbol.asyncDispose]()
  }
}
