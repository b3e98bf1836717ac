import { setTimeout as sleep } from 'node:timers/promises'
import { Slots } from './slots.ts'

/** Handshakes with one sshd at once: OpenSSH begins to drop some above ten that are not logged in yet (MaxStartups). */
const handshakesAtOnce = 8
const maxTries = 8

/** Paces the logins per sshd, and slows down when one turns us away. */
export class Pace {
  readonly #servers = new Map<string, Slots>()

  /**
   * Runs one handshake with the server at `endpoint`. It is tried again only while `isTurnedAway` says that the server
   * hung up before saying anything: nothing was refused then but the hurry.
   */
  async run<T>(
    endpoint: string,
    handshake: () => Promise<T>,
    isTurnedAway: (error: unknown) => boolean,
    signal?: AbortSignal,
  ): Promise<T> {
    const slots = this.#slots(endpoint)
    for (let tries = 1; ; tries++) {
      try {
        return await slots.run(() => this.#start(slots, handshake, signal), signal)
      } catch (error) {
        if (tries === maxTries || !isTurnedAway(error)) throw error
        slots.limit = Math.max(1, Math.floor(slots.limit / 2))
      }
      await sleep(Math.random() * 100 * 1.7 ** tries, undefined, { signal })
    }
  }

  /** Several at once start a little apart. */
  async #start<T>(slots: Slots, handshake: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (slots.taken > 1) await sleep(Math.random() * 20, undefined, { signal })
    return handshake()
  }

  #slots(endpoint: string): Slots {
    const slots = this.#servers.get(endpoint) ?? new Slots(handshakesAtOnce)
    this.#servers.set(endpoint, slots)
    return slots
  }
}
