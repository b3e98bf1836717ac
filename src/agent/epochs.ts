import { CpnError } from '../common/errors.ts'

const runsKept = 1000

/** The highest epoch seen of each run: a master that was replaced is told so. */
export class EpochGuard {
  readonly #highest = new Map<string, number>()

  /** Remembers the epoch; throws CPN_ERR_STALE_EPOCH when a higher one was seen for the run. */
  check(run: string, epoch: number): void {
    const highest = this.#highest.get(run) ?? 0
    if (epoch < highest) {
      throw new CpnError('CPN_ERR_STALE_EPOCH', `run ${run} is at epoch ${highest}, not ${epoch}`, {
        suggestions: ['Let the newer master finish the run, or resume it to take it over.'],
      })
    }
    this.#highest.delete(run)
    this.#highest.set(run, epoch)
    this.#forgetOldest()
  }

  #forgetOldest(): void {
    if (this.#highest.size <= runsKept) return
    const [oldest] = this.#highest.keys()
    if (oldest !== undefined) this.#highest.delete(oldest)
  }
}
