import type { Readable } from 'node:stream'

/** Takes a stream apart by lengths. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /** The next bytes, at most `max` of them; null at the end. */
  async read(max: number): Promise<Buffer | null> {
    while (this.#held.length === 0) {
      const { value, done } = await this.#chunks.next()
      if (done) return null
      this.#held = value
    }
    const taken = this.#held.subarray(0, max)
    this.#held = this.#held.subarray(max)
    return taken
  }

  /** Text to the next line break, which is taken too. */
  async readLine(): Promise<string> {
    let line = ''
    for (;;) {
      const byte = await this.read(1)
      if (byte === null || byte[0] === 10) return line
      line += byte.toString('latin1')
    }
  }
}
