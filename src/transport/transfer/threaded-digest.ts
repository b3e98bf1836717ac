import { Thread } from '../../common/thread.ts'

export type DigestQuestion = Uint8Array | 'so far' | 'restart'

/** SHA-256 of what comes piece by piece, taken in a thread of its own while the pieces are on their way. */
export class ThreadedDigest implements AsyncDisposable {
  readonly #thread = new Thread<DigestQuestion, string | undefined>('transport/transfer/digest-thread')

  /** Resolves when the piece has been taken in, until when shared memory must not change. */
  async update(piece: Uint8Array): Promise<void> {
    await this.#thread.ask(piece)
  }

  /** Lower-case hex of all pieces so far. */
  async soFar(): Promise<string> {
    return (await this.#thread.ask('so far'))!
  }

  async restart(): Promise<void> {
    await this.#thread.ask('restart')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#thread[Symbol.asyncDispose]()
  }
}
