import type { Duplex } from 'node:stream'

/**
 * Lets the channels of a connection write in turns, as fast as its socket takes it. ssh2 itself hands over all that
 * the channels' windows allow, two megabytes each: on a slow link whatever comes next, such as the request for another
 * channel, would wait for minutes behind it.
 */
export class Outlet {
  readonly #socket: Duplex
  #waiting: (() => void)[] = []

  constructor(socket: Duplex) {
    this.#socket = socket
    socket.on('drain', () => this.#admit())
  }

  /** Calls `write` as soon as the socket takes more; who waits is served in order. It may write one piece. */
  enter(write: () => void): void {
    this.#waiting.push(write)
    this.#admit()
  }

  #admit(): void {
    while (this.#waiting.length > 0 && !this.#socket.writableNeedDrain) this.#waiting.shift()!()
  }
}
