import { CpnError } from '../common/errors.ts'

const tickMs = 1000
/** Seconds with a heartbeat in which nothing that was sent has arrived. */
const deafSeconds = 6

/** What a heartbeat tells about what arrives. */
interface Received {
  /** Bytes that the agent has received from anybody since it started; undefined where it does not count them. */
  receivedBytes?: number | undefined
}

/**
 * Aborts its signal when an agent is heard but no longer reached. While it has work it is asked for something small now and
 * then, and its heartbeats have to tell that something arrived. Whatever arrives counts, so that a slow link which is busy with
 * images is alive; the answer need not come, it may wait behind pictures on its way back.
 */
export class Deafness implements Disposable {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #ask: (signal: AbortSignal) => Promise<unknown>
  readonly #host: string
  #last: number | undefined
  #isHeard = false
  /** A question is on its way there or its answer back. */
  #isAsking = false
  #hasArrived = true
  #seconds = 0
  /** Seconds that the last answer took: heartbeats are as old as that. */
  #delay = 0

  /**
   * @param isBusy whether the agent has work
   * @param ask asks the agent for something small
   * @param host for the error CPN_ERR_CONNECTION_LOST
   */
  constructor(isBusy: () => boolean, ask: (signal: AbortSignal) => Promise<unknown>, host: string) {
    this.#ask = ask
    this.#host = host
    this.#timer = setInterval(() => this.#tick(isBusy()), tickMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  hear({ receivedBytes }: Received): void {
    this.#isHeard = receivedBytes !== undefined
    if (receivedBytes !== this.#last) this.#hasArrived = true
    this.#last = receivedBytes
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#controller.abort()
  }

  /** Only seconds with a heartbeat count: without one, nobody knows. A master that was suspended hears many in one. */
  #tick(isBusy: boolean): void {
    if (!this.#isHeard) return
    this.#isHeard = false
    this.#seconds++
    if (!isBusy) this.#hasArrived = true
    else if (!this.#isAsking) this.#probe()
    if (this.#hasArrived || this.#seconds <= deafSeconds + 2 * this.#delay) return
    const message = `nothing that was sent to the agent has arrived for ${this.#seconds} s, although it is heard`
    this.#controller.abort(new CpnError('CPN_ERR_CONNECTION_LOST', message, { host: this.#host, retryable: true }))
  }

  #probe(): void {
    // One that came to nothing goes on with the next.
    if (this.#hasArrived) this.#seconds = 0
    this.#hasArrived = false
    this.#isAsking = true
    const answered = () => {
      this.#isAsking = false
      this.#hasArrived = true
      this.#delay = this.#seconds
    }
    // What went wrong is told by the requests that matter.
    this.#ask(this.signal).then(answered, () => {
      this.#isAsking = false
    })
  }
}
