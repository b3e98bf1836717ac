import { guardOrders, guardScript, withMarkers } from '../lifeline.ts'
import type { SshConnection } from './connection.ts'
import { type Session, startSession } from './session.ts'

/** Ends process groups on the host: on request, and all that it watches when the connection is gone. */
export class Guard {
  readonly #session: Session

  private constructor(session: Session) {
    this.#session = session
    session.stdio.on('error', () => undefined)
    // One for each order that waits.
    session.stdio.setMaxListeners(0)
    session.stdio.resume()
    session.stderr.resume()
  }

  static async start(connection: SshConnection, signal?: AbortSignal): Promise<Guard> {
    return new Guard(await startSession(connection, (nonce) => withMarkers(guardScript(), nonce), { signal }))
  }

  get isAlive(): boolean {
    return !this.#session.stdio.destroyed && this.#session.stdio.writable
  }

  /** Resolves when the order has been handed to the connection, or when there is nobody to hear it. */
  watch(group: string): Promise<void> {
    return this.#order(guardOrders.watch(group))
  }

  forget(group: string): void {
    void this.#order(guardOrders.forget(group))
  }

  end(group: string): void {
    void this.#order(guardOrders.end(group))
  }

  /** Lets go; whatever it still watches ends. */
  async close(): Promise<void> {
    this.#session.stdio.end()
    await this.#session.exited.catch(() => undefined)
  }

  async #order(line: string): Promise<void> {
    if (!this.isAlive) return
    const { stdio } = this.#session
    const { promise, resolve } = Promise.withResolvers<void>()
    // A stream that is destroyed forgets the write that is under way.
    stdio.once('close', resolve)
    stdio.write(line, () => resolve())
    await promise
    stdio.off('close', resolve)
  }
}
