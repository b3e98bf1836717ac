import { CpnError } from '../common/errors.ts'

const tickMs = 1000

/**
 * Aborts its signal when nothing was heard for a while. Counted in ticks and not by the clock: a master that was suspended
 * has late ticks, but none of them silent.
 */
export class Silence implements Disposable {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  #ticks = 0
  #isExpected = false

  /** @param host for the error CPN_ERR_CONNECTION_LOST */
  constructor(seconds: number, host: string) {
    this.#timer = setInterval(() => {
      if (this.#isExpected || ++this.#ticks <= seconds) return
      const message = `nothing came from the agent for ${seconds} s`
      this.#controller.abort(new CpnError('CPN_ERR_CONNECTION_LOST', message, { host, retryable: true }))
    }, tickMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something was heard. */
  end(): void {
    this.#ticks = 0
  }

  /** Nobody listens while `work` goes on. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#isExpected = true
    try {
      return await work()
    } finally {
      this.#isExpected = false
      this.#ticks = 0
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
