import { guardOrders, guardScript, withMarkers } from '../lifeline.ts'
import type { SshConnection } from './connection.ts'
import { type Session, startSession } from './session.ts'

/** Ends process groups on the host: on request, and all that it watches when the connection is gone. */
export class Guard {
  readonly #session: Session

  private constructor(session: Session) {
    this.#session = session
    session.stdio.on('error', () => undefined)
    session.stdio.resume()
    session.stderr.resume()
  }

  static async start(connection: SshConnection, signal?: AbortSignal): Promise<Guard> {
    return new Guard(await startSession(connection, (nonce) => withMarkers(guardScript(), nonce), { signal }))
  }

  get isAlive(): boolean {
    return !this.#session.stdio.destroyed && this.#session.stdio.writable
  }

  watch(group: string): void {
    this.#order(guardOrders.watch(group))
  }

  forget(group: string): void {
    this.#order(guardOrders.forget(group))
  }

  end(group: string): void {
    this.#order(guardOrders.end(group))
  }

  /** Lets go; whatever it still watches ends. */
  async close(): Promise<void> {
    this.#session.stdio.end()
    await this.#session.exited.catch(() => undefined)
  }

  #order(line: string): void {
    if (this.isAlive) this.#session.stdio.write(line)
  }
}
