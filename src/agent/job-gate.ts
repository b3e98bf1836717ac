import { CpnError } from '../common/errors.ts'

/** Counts the jobs a node has taken, refuses more than its slots, and lets the last one out before it ends. */
export class JobGate {
  readonly slots: number
  #busy = 0
  #draining = false
  readonly #empty = Promise.withResolvers<void>()

  constructor(slots: number) {
    this.slots = slots
  }

  get busy(): number {
    return this.#busy
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Takes a slot until it is disposed. Throws CPN_ERR_AGENT_DRAINING or CPN_ERR_AGENT_BUSY; both are retryable. */
  enter(): Disposable {
    if (this.#draining) {
      throw new CpnError('CPN_ERR_AGENT_DRAINING', 'the agent takes no more jobs: it is about to end', {
        retryable: true,
        suggestions: ['Start it again with `cpn start`.'],
      })
    }
    if (this.#busy >= this.slots) {
      throw new CpnError('CPN_ERR_AGENT_BUSY', `all ${this.slots} slots are taken`, {
        retryable: true,
        suggestions: ['Send the image to another node, or here when an answer has come.'],
      })
    }
    this.#busy += 1
    return { [Symbol.dispose]: () => this.#leave() }
  }

  /** Takes no more jobs; resolves when the last one is out. */
  drain(): Promise<void> {
    this.#draining = true
    if (this.#busy === 0) this.#empty.resolve()
    return this.#empty.promise
  }

  #leave(): void {
    this.#busy -= 1
    if (this.#draining && this.#busy === 0) this.#empty.resolve()
  }
}
